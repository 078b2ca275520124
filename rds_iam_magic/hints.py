"""The hints, what to do next, by the cause of an error: written once, spelled for the notebook or for Python.

A hint contains neither `--via` nor `via=` but `{option:via}`, which each interface spells its own way. Other
placeholders, such as `{user}`, are facts of the error; an unknown fact is shown in capitals, as in `USER`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum


class Interface(Enum):
    """Where the user typed what failed."""

    PYTHON = 0
    NOTEBOOK = 1


SPELLINGS: dict[str, tuple[str, str]] = {  # in Python, in the notebook
    "option:all-rows": ("sample=False", "--all"),
    "option:analyze": ("analyze=True", "--analyze"),
    "option:ca": ('ca="PATH"', "--ca PATH"),
    "option:compress-auto": ('compress="auto"', "--compress auto"),
    "option:compress-zlib": ('compress="zlib"', "--compress zlib"),
    "option:connect-timeout": ("connect_timeout=SECONDS", "--connect-timeout SECONDS"),
    "option:database": ('database="DATABASE"', "-d DATABASE"),
    "option:exact-decimals": ('decimal="exact"', "--decimal exact"),
    "option:if-exists": ("if_exists='append' or 'replace'", "--append or --replace (%rds_sql: --persist-replace)"),
    "option:limit": ("limit=N", "--limit N"),
    "option:engine-version": ('engine_version="VERSION"', "--engine-version VERSION"),
    "option:from": ('source="NETWORK"', "--from NETWORK"),
    "option:min-acu": ('min_acu="ACU"', "--min-acu ACU"),
    "option:no-bind": ("no params", "--no-bind"),
    "option:now": ("now=True", "--now"),
    "option:on": ('on="COLUMN"', "--on COLUMN"),
    "option:overwrite": ("overwrite=True", "--overwrite"),
    "option:params": ('give params={"NAME": VALUE}', "omit --no-bind"),
    "option:parallel": ("query(parallel=N)", "--parallel N"),
    "option:ids": ('resource_id="ID", account="N", region="R"', "--resource-id ID --account N --region R"),
    "option:stack": ('stack="NAME"', "--stack NAME"),
    "option:profile": ('profile="NAME"', "--profile NAME"),
    "option:read-only": ("read_only=True", "--read-only"),
    "option:region": ('region="REGION"', "--region REGION"),
    "option:role-arn": ('role_arn="ARN"', "--role-arn ARN"),
    "option:secret": ('secret="SECRET_ID"', "--secret SECRET_ID"),
    "option:subnets": ('subnets="ID,ID"', "--subnets ID,ID"),
    "command:save": (
        "Write [{section}], then target = … and user = …, into that file.",
        "Write one: %rds_iam_connect TARGET -u USER --save {section}",
    ),
    "option:ssh": ('ssh="HOST"', "--ssh HOST"),
    "option:ssm": ('ssm="INSTANCE_ID"', "--ssm INSTANCE_ID"),
    "option:target": ("target=TARGET", "--target TARGET"),
    "option:timeout": ("timeout=SECONDS", "--timeout SECONDS"),
    "option:user": ('user="USER"', "-u USER"),
    "option:wait": ("wait=True", "--wait"),
    "option:wildcard": ("wildcard=True", "--wildcard"),
    "option:vpc": ('vpc="ID"', "--vpc ID"),
    "option:yes": ("yes=True", "--yes"),
    "option:via": ('via="HOST:PORT"', "--via HOST:PORT"),
    "command:attach-policy": (
        "Who may edit IAM runs this in a notebook:\n%rds_iam_policy {user} {target} --attach {principal} --fix",
        "Who may edit IAM runs this:\n%rds_iam_policy {user} {target} --attach {principal} --fix",
    ),
    "command:columns": ('db.columns("{table}")', "%rds_columns {table}"),
    "command:databases": ("db.databases()", "%rds_databases"),
    "command:tables": ("db.tables()", "%rds_tables"),
    "command:arrow": ("query_arrow()", "--type arrow"),
    "command:connect": ('rds_iam_magic.connect("TARGET", user="USER")', "%rds_iam_connect TARGET -u USER"),
    "command:connect-by": (
        'rds_iam_magic.connect("{stack}", user="USER", ssm="INSTANCE_ID"), or ssh="HOST", or via="HOST:PORT"',
        "%rds_iam_connect {stack} -u USER --ssm INSTANCE_ID, or --ssh HOST, or --via HOST:PORT",
    ),
    "command:connect-to": ('rds_iam_magic.connect("{stack}", user="USER")', "%rds_iam_connect {stack} -u USER"),
    "command:connect-to-database": (
        'rds_iam_magic.connect("TARGET", user="USER", database="DATABASE")',
        "%rds_iam_connect TARGET -u USER -d DATABASE",
    ),
    "command:create-user": (
        "CREATE USER {account} IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL",
        "%rds_iam_user create {word} --target TARGET --grant …",
    ),
    "command:create-user-with": (
        "CREATE USER USER IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL",
        "%rds_iam_user create USER --target {stack} --grant 'SELECT ON SCHEMA.*'",
    ),
    "command:delete-stack": (
        'delete(session, "{stack}", yes=True)',
        "%rds_iam_provision delete {stack} --yes",
    ),
    "command:enable-iam": (
        "Switch it on at once, which needs no restart, in a notebook:\n%rds_iam_enable {target} --now",
        "Switch it on at once, which needs no restart:\n%rds_iam_enable {target} --now",
    ),
    "command:doctor": ("rds_iam_magic.diagnose({arguments})", "%rds_iam_doctor {line}"),
    "command:fix": (
        "python -m rds_iam_magic doctor {line} --fix {number}",
        "%rds_iam_doctor {line} --fix {number}",
    ),
    "command:execute": ("Call execute()", "Omit --to"),
    "command:memory": ("connect with a larger max_memory", "raise %config RdsIamMagics.max_memory"),
    "command:result-sets": ("Call run()", "Omit --to"),
    "command:status": ('status(session, "{stack}")', "%rds_iam_provision status {stack}"),
    "command:write": ("write()", "--to FILE"),
}

_AWS_CONFIGURATION = "Check ~/.aws/config (or AWS_CONFIG_FILE) and the AWS_* variables."
_DATABASE_USER = "rds-db:connect on arn:aws:rds-db:REGION:ACCOUNT:dbuser:RESOURCE_ID/{user}."
_CREDENTIALS_SOURCE = "Check the profile's settings; aws sts get-caller-identity shows whether they work."
_NETWORK = "Check the network, the proxy settings and AWS_ENDPOINT_URL."
_NO_LOCAL_FILES = "LOAD DATA LOCAL is not supported; INSERT the rows instead."
_PAUSED = "A paused Aurora Serverless database takes up to a minute to resume: {option:connect-timeout}."
_PROCESS = "Run the profile's credential_process yourself: it must print JSON with Version 1."

HINTS: dict[str, str] = {
    # What the user has typed
    "analyze-would-write": "Explain it without {option:analyze}; then it is not run.",
    "account-invalid": "It is the database's account; aws sts get-caller-identity shows yours.",
    "address-invalid": "Write it like example.com:3306.",
    "dask-missing": 'Run pip install "rds-iam-magic[dask]".',
    "driver-option-refused": "",
    "external-id-without-role": "Add {option:role-arn}, or omit the external id.",
    "file-address-invalid": "Give a path or s3://BUCKET/KEY.",
    "file-format-unknown": "Use one of .parquet, .csv, .csv.gz, .arrow.",
    "grant-invalid": "Write PRIVILEGE[, …] ON SCHEMA.TABLE, as in 'SELECT ON shop.*'.",
    "invalid-option": "",
    "load-column-name": "Rename it, for instance with df.rename(columns=…).",
    "load-columns-differ": "Select or rename the frame's columns; those of the table decide.",
    "load-dtype": "Convert it, for instance with astype(str).",
    "load-in-transaction": "COMMIT or ROLLBACK it first.",
    "load-no-schema": "Write SCHEMA.TABLE.",
    "load-row-too-large": "Shorten it, or raise max_allowed_packet in the parameter group.",
    "load-table-exists": "Choose another name, or {option:if-exists}.",
    "load-table-kind": "Load into a new table.",
    "load-table-temporary": "Choose another name, or drop it first (DROP TEMPORARY TABLE).",
    "load-value": "Correct, convert or leave out such values first.",
    "login-as-target": "Give the host name or identifier alone, as in {command:connect-to-database}, and delete the "
    "password: none is needed.",
    "memory-size-invalid": "Give a number of bytes, or a string such as '4 GB'.",
    "option-empty": "Give a value (is a variable not set?), or omit the option.",
    "option-not-text": "Remove that character.",
    "arn-unsupported": "Give one that ends with :cluster:NAME, :db:NAME or :db-proxy:prx-ID; or a host name.",
    "connection-not-portable": "Connect as an IAM user ({command:connect}), or read here with {option:parallel}.",
    "jinja-in-quotes": "Write it without quotes; the filter sql marks a text that is SQL: x | sql.",
    "jinja-failed": "Correct the expression on that line; %tb shows where it failed.",
    "jinja-invalid": "Correct it; between raw and endraw, braces are the SQL's own.",
    "jinja-missing": 'Run pip install "rds-iam-magic[jinja]".',
    "jinja-undefined": "Define it first, or give a default: x | default(…).",
    "parameter-ambiguous": "Write strings in single quotes, in a statement of its own without executable comments.",
    "parameter-infinite": "Decide what is meant: leave the condition out, or use the column's largest value.",
    "parameter-list-empty": "Decide what an empty list means: skip the query, or write FALSE or TRUE instead.",
    "parameter-list-mixed": "Give single values only, or tuples of the same length.",
    "parameter-list-null": "Decide what is meant: remove it (dropna), or add OR … IS NULL to the condition.",
    "parameter-list-place": "Write IN :name; or name one of its values, as in :name[0].",
    "parameter-nan": "Decide what is meant: None or pandas.NA is NULL; dropna removes it from a column.",
    "parameter-nanoseconds": "Round it first: .floor('us').",
    "parameter-not-text": "Remove it, or bind bytes.",
    "parameter-out-of-range": "Round or narrow it first, or bind it as a text.",
    "parameter-time-zone": "Remove the time zone (replace(tzinfo=None)), or bind a date and time.",
    "parameter-type": "Bind a number, text, bytes, date, time, None, or a list of them; str(…) makes a text.",
    "parameter-unknown": "Define it first. Where the SQL itself means a colon, write \\:name, or use {option:no-bind}.",
    "parts-key-missing": "Add {option:on}: a column of the query, best an indexed one.",
    "parts-key-type": "Divide by another column: {option:on}.",
    "parts-key-unknown": "Name one of them: {option:on}.",
    "parts-key-unstable": "Divide by a column that a table stores: {option:on}.",
    "parts-limit": "Omit it, or read the query undivided.",
    "parts-not-a-query": "Run it undivided; or read the rows of a SELECT in parts.",
    "parts-session-state": "COMMIT and drop what the session holds, or read the query undivided.",
    "parts-several-statements": "Run the others first, on their own.",
    "parts-unstable": "Omit it, or store its values in a table first.",
    "polars-missing": "Run pip install polars, or use {command:arrow}.",
    "policy-name-invalid": "It has 1 to 128 letters, digits, and + = , . @ _ -.",
    "policy-user-pattern": "Name one user, or add {option:wildcard} if all those are meant.",
    "port-invalid": "A port is a number from 1 to 65535; MySQL's is 3306.",
    "principal-invalid": "Write role/NAME, user/NAME or group/NAME (PATH/NAME, if it has a path), or its ARN.",
    "resource-id-invalid": "It begins with cluster-, db- or prx-: Resource ID in the RDS console (Configuration); for "
    "Aurora the cluster's.",
    "section-invalid": "Correct that line; the keys are the options of a connection.",
    "section-name-invalid": "Use letters, digits, ., - and _.",
    "section-secret": "Delete it there: a section holds options only, and no password is needed.",
    "section-unknown": "{command:save}",
    "section-value-invalid": "Omit it, or give it when you connect.",
    "sections-unreadable": "Check the file and its permissions, or name another one in RDS_IAM_MAGIC_CONNECTIONS.",
    "sections-unwritable": "Check the folder and its permissions, or name another file in RDS_IAM_MAGIC_CONNECTIONS.",
    "saved-cycle": "Save it without that one.",
    "saved-name-invalid": "Use letters, digits, _ and $.",
    "saved-names-clash": "Save one of them under another name.",
    "saved-not-a-query": "Save a SELECT (or WITH, TABLE, VALUES) without INTO.",
    "saved-not-closed": "Complete it.",
    "saved-not-usable": "Read from it in a query, in INSERT … SELECT or in CREATE TABLE … SELECT.",
    "saved-several-statements": "Put each into a cell of its own.",
    "saved-unknown": "",
    "setting-rejected": "Connect with another value, or without it.",
    "shell-command": "Remove it.",
    "shell-connect-command": "Remove it; {command:connect} opens another connection.",
    "shell-output-command": "Remove it; {command:write} writes a result to a file.",
    "sqlalchemy-missing": 'Run pip install "rds-iam-magic[sqlalchemy]".',
    "sql-file-encoding": "Save it as UTF-8.",
    "sql-file-missing": "",
    "sql-file-unreadable": "Name a file with SQL.",
    "sql-missing": "Write a statement, such as SELECT 1.",
    "sql-not-text": "Remove it, or send the bytes that it stands for as X'…'.",
    "table-name-invalid": "Write table or schema.table; names with other characters in backquotes.",
    "target-empty": "Name a DB cluster or instance, or the host name of its endpoint.",
    "target-named-twice": "Keep one of the target, {option:stack} and {option:secret}.",
    "time-zone-rejected": "Use an offset such as +00:00; named zones need the server's time-zone tables.",
    "user-missing": "Add {option:user}: the user created with AWSAuthenticationPlugin.",
    "user-name-invalid": "Choose another name.",
    # AWS: credentials
    "access-key-refused": "Check the profile, the AWS_* variables and this machine's clock; keys of two accounts are "
    "often mixed.",
    "boto3-part-missing": 'Install it: pip install "botocore[crt]".',
    "credential-process-failed": _PROCESS,
    "credential-process-malformed": _PROCESS,
    "credential-process-not-run": "Correct credential_process in ~/.aws/config: give the full path of a program.",
    "credentials-expired": "Get fresh ones (aws sso login, or your usual way), then run this again.",
    "credentials-incomplete": "Set both keys in the profile, or in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "credentials-malformed": "Copy the access key, the secret key and the session token again, each on one line.",
    "credentials-missing": "Run aws configure or aws sso login, set AWS_PROFILE, or add {option:profile}.",
    "credentials-source-failed": _CREDENTIALS_SOURCE,
    "credentials-unusable": _CREDENTIALS_SOURCE,
    "login-session-denied": "Ask for the permission signin:CreateOAuth2Token, or use {option:profile}.",
    "login-session-ended": "Run aws login (for your profile, if you use one), then this again.",
    "machine-credentials-failed": "Check the role of the instance or container, or add {option:profile}.",
    "mfa-code-required": "Get credentials on the command line (aws sts get-session-token), then run this again.",
    "clock-wrong": "Set it (over NTP), then run this again: AWS refuses what is signed more than 5 minutes off.",
    "session-token-missing": "Set AWS_SESSION_TOKEN, or aws_session_token in the profile, too.",
    "profile-invalid": _AWS_CONFIGURATION,
    "profile-unknown": "aws configure list-profiles lists yours.",
    "sso-session-ended": "Run aws sso login (for your profile, if you use one), then this again.",
    # AWS: configuration, network, permissions
    "aws-configuration-invalid": _AWS_CONFIGURATION,
    "aws-configuration-unreadable": "Correct the file: INI syntax, UTF-8.",
    "aws-configuration-not-found": "Check AWS_CONFIG_FILE.",
    "aws-denied": "Ask for the permission, or use other credentials: {option:profile} or {option:role-arn}.",
    "aws-endpoint-invalid": "Correct AWS_ENDPOINT_URL (or endpoint_url in the profile): https://HOST:PORT.",
    "aws-failed": "Check the network and the AWS configuration.",
    "aws-fault": "Try again in a minute.",
    "aws-lookup-denied": "Ask for that permission (for an identifier: rds:DescribeDBClusters if it is a cluster's, "
    "rds:DescribeDBInstances if an instance's), or give the database's full host name, which needs no look-up.",
    "aws-proxy-unreachable": "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
    "aws-response-invalid": _NETWORK,
    "aws-throttled": "Try again in a minute.",
    "aws-tls-failed": "Check AWS_CA_BUNDLE, the proxy settings and AWS_ENDPOINT_URL.",
    "aws-unreachable": _NETWORK,
    "aws-value-invalid": "Check the names and ARNs that you gave.",
    "boto3-failed": "Update it (pip install -U boto3), then run this again; if it still fails, please report it.",
    "memory-exhausted": "Free some memory, then run this again.",
    "region-missing": "Add {option:region}, or set AWS_REGION or a region in the AWS profile.",
    "region-unknown": "Give one such as eu-west-1 with {option:region}.",
    "region-without-endpoint": "Check the region ({option:region}), use_fips_endpoint and use_dualstack_endpoint.",
    # AWS: databases and secrets
    "cluster-lookup-denied": "Ask for rds:DescribeDBClusters, or give the reader endpoint's host name, which needs no "
    "look-up.",
    "database-failed": "See its events in the RDS console.",
    "database-stopped": "Start it (RDS console, Actions), then connect with {option:wait}.",
    "endpoint-name-unknown": "The RDS console lists them (Connectivity).",
    "endpoint-not-ready": "Connect again when it is available, or add {option:wait}.",
    "endpoint-unknown": "Check the account: the credentials may belong to a different one than the database.",
    "engine-unsupported": "Give a MySQL, MariaDB or Aurora MySQL cluster, instance or proxy.",
    "global-without-writer": "Try again in a minute; while it switches over, none of its clusters writes.",
    "iam-authentication-off": "Enable it (RDS console, Modify: IAM database authentication), then connect again.",
    "iam-authentication-pending": "Connect again in a few minutes, or add {option:wait}; a change that is due in the "
    "maintenance window needs Apply immediately (RDS console, Modify).",
    "not-rds-host": "The token is signed for the AWS host name: give that, and {option:via} for a tunnel or an IP; a "
    "name of your own needs a CNAME that leads to it.",
    "policy-lookup-denied": "Ask for that permission (a database takes rds:DescribeDBClusters and "
    "rds:DescribeDBInstances, a proxy rds:DescribeDBProxies), or give the database's ids, which need no look-up: "
    "{option:ids}.",
    "policy-too-large": "Delete inline policies that nobody needs, or make this one a managed policy (6,144 characters "
    "of its own) and attach that.",
    "principal-in-other-account": "Use credentials of the account that both are in: {option:profile} or "
    "{option:role-arn}; for a database elsewhere, a role there that yours may assume.",
    "principal-unknown": "Check the name and the account: aws sts get-caller-identity shows yours.",
    "proxy-iam-authentication-off": "Set IAM authentication to Required for the user's secret (RDS console, Proxies, "
    "Modify), then connect again.",
    "reader-without-cluster": "Omit it; or give the identifier of a cluster.",
    "role-of-service": "Attach the policy to a role, user or group of your own.",
    "role-reserved": "Put the policy into the permission set (IAM Identity Center of the management account, "
    "Permission sets, Inline policy) and provision that again; the role follows.",
    "secret-deleted": "Restore it (aws secretsmanager restore-secret --secret-id …), or give the one that the "
    "database's page in the RDS console links to (Configuration).",
    "secret-empty": "Set its value, JSON with username and password; or wait, if it is being made.",
    "secret-key-unusable": "Ask for kms:Decrypt on the key, and check that it is enabled.",
    "secret-malformed": "Give the secret of the database's master user.",
    "secret-unknown": "Give its name or ARN; the database's page in the RDS console links to it (Configuration).",
    "secret-without-database": "Add {option:target}: the cluster's or instance's identifier or host name.",
    "stack-unknown": "It may be in another region or account: add {option:region} or {option:profile}.",
    "stack-with-several": "Give one of them as the target.",
    "stack-without-database": "Give the stack that has the database, or the outputs; or the database's own name.",
    "region-contradicts-arn": "Omit {option:region}; an ARN tells its own.",
    "target-ambiguous": "Give the ARN or the host name of the one that you mean.",
    "target-in-other-account": "Assume a role there with {option:role-arn}, or use {option:profile}.",
    "target-unknown": "It may be in another region or account: add {option:region} or {option:profile}.",
    "target-unusable": "",
    "target-without-region": "Add {option:region}: the database's (for a global database, its current writer's).",
    "wait-for-window": "Omit {option:wait}, or add {option:now}.",
    "wait-too-long": "See its events in the RDS console, or wait once more.",
    "wait-without-database": "Omit {option:wait}.",
    # The CA bundle
    "ca-bundle-invalid": "Download global-bundle.pem as the RDS User Guide describes (a web proxy may have answered "
    "instead) and give it with {option:ca}.",
    "ca-bundle-unavailable": "Behind a company's proxy, set AWS_CA_BUNDLE to its CA file. Without internet, copy "
    "global-bundle.pem here and give it with {option:ca} or RDS_IAM_MAGIC_CA.",
    "ca-bundle-unpublished": "Give your partition's bundle with {option:ca} or RDS_IAM_MAGIC_CA.",
    "ca-bundle-unreadable": "Give the path of a PEM file with {option:ca}.",
    "ca-bundle-unusable": "",
    "ca-url-invalid": "Unset it, or give an address of the form https://HOST/PATH.",
    # The network and TLS
    "address-silent": "Check the security group and the VPN, or connect by a tunnel: {option:ssh}, {option:ssm} or "
    "{option:via}. " + _PAUSED,
    "address-unreachable": "Check the host and port; for a tunnel ({option:via}), check that it is open.",
    "name-lookup-timeout": "Check the VPN and the DNS server, then try again.",
    "name-unknown": "Check its spelling and the VPN; for a private network, connect by a tunnel: {option:ssh}, "
    "{option:ssm} or {option:via}.",
    "not-mysql": "Check what listens there, and where the tunnel ends. " + _PAUSED,
    "tls-expired": "Check this machine's clock; otherwise, rotate the database's certificate (RDS console, Modify).",
    "tls-failed": "Check what listens there: a MySQL server with TLS 1.2 or later is expected.",
    "tls-name-mismatch": "Give the endpoint's own name as the target, and check where the tunnel ({option:via}) ends.",
    "tls-not-offered": "Check what listens there ({option:via}): RDS always offers TLS.",
    "tls-not-verified": "This is a bug; please report it.",
    "tls-untrusted": "The bundle is {source}; use another ({option:ca}) only if you trust that server.",
    # Tunnels
    "aws-cli-missing": "Install the AWS CLI and its Session Manager plugin, or use {option:ssh} or {option:via}.",
    "session-manager-plugin-missing": "Install the Session Manager plugin for the AWS CLI (AWS Systems Manager User "
    "Guide), or use {option:ssh} or {option:via}.",
    "ssh-denied": "Log in once in a terminal: {ssh}. It must need no password there: add your key to the agent "
    "(ssh-add), or name it in ~/.ssh/config.",
    "ssh-host-changed": "Ask who runs that host whether its key has changed; then remove the old one (ssh-keygen -R).",
    "ssh-host-invalid": "Write [USER@]HOST[:PORT], or a name of ~/.ssh/config.",
    "ssh-host-unknown": "Log in once in a terminal and check the host's key: {ssh}",
    "ssh-missing": "Install OpenSSH's client (on Debian: apt-get install openssh-client), or use {option:ssm} or "
    "{option:via}.",
    "ssh-setup": "Correct ~/.ssh/config and the permissions of its folder.",
    "ssh-unreachable": "Check the host's name, the VPN and its firewall: {ssh}",
    "ssm-denied": "Ask for ssm:StartSession on the instance {instance} and on the document "
    "AWS-StartPortForwardingSessionToRemoteHost.",
    "ssm-document-missing": "Ask for the document AWS-StartPortForwardingSessionToRemoteHost to be shared with you.",
    "ssm-not-connected": "Check its id and region, that it runs with the SSM agent, and that its role has "
    "AmazonSSMManagedInstanceCore.",
    "ssm-target-invalid": "Give the id of an EC2 instance, such as i-0123456789abcdef0.",
    "tunnel-blocked": "Check that the database's security group lets in the host at the tunnel's far end.",
    "tunnel-failed": "Check that the same works in a terminal.",
    "tunnel-port-taken": "Try again; for a port that ~/.ssh/config forwards (LocalForward), end what has it.",
    "tunnel-slow": "{option:connect-timeout} waits longer.",
    "ways-exclude": "Keep one of {option:via}, {option:ssm} and {option:ssh}.",
    # Logging in
    "access-denied": "",
    "compression-not-offered": "Use {option:compress-auto}, the default, which takes what the server offers.",
    "connect-failed": "Check that a MySQL or MariaDB server is running there.",
    "database-denied": "Ask for a grant, or connect without {option:database} and run SHOW DATABASES.",
    "database-unknown": "Check its spelling and case, or connect without {option:database} and run SHOW DATABASES.",
    "host-blocked": "Ask an administrator to run FLUSH HOSTS.",
    "iam-denied": "Your IAM identity needs a policy that allows " + _DATABASE_USER,
    "iam-throttled": "Wait a minute; hold connections open instead of making a new one for each query.",
    "proxy-user-unknown": "Ask the proxy's administrator for a secret with this user's name, and for IAM "
    "authentication (RDS console, Proxies).",
    "user-or-iam-denied": "First check the user's spelling and case (MariaDB asks for a token for unknown users, too), "
    "then that your IAM identity has a policy that allows " + _DATABASE_USER,
    "login-refused": "This is the server's message; ask its administrator.",
    "password-denied": "The secret may belong to another database, or is being rotated; try again in a minute.",
    "proxy-cannot-reach-database": "Check the proxy's target group.",
    "too-many-connections": "Close idle connections, or try again in a minute.",
    "too-many-user-connections": "Close one, then try again.",
    "user-limit-reached": "Wait, or ask for a higher limit.",
    "zstd-not-offered": "Use {option:compress-zlib}, or {option:compress-auto}; zstd needs MySQL 8.0.18 or later.",
    "user-unknown": "Check its spelling and case, or create the user: {command:create-user}",
    # The held connection
    "alias-unknown": "Connect first: {command:connect}",
    "commit-unknown": "Look at the data before you run anything again.",
    "connection-busy": "Read it to the end or close it first, or use a second connection.",
    "connection-closed": "Connect again: {command:connect}",
    "connection-lost": "",
    "lost-twice": "Try again in a minute.",
    "load-lost": "Run it again.",
    "may-have-run": "Look at the data before you run it again.",
    "not-connected": "Connect first: {command:connect}",
    "rollback-release-lost": "The next statement reconnects.",
    "rows-lost": "Run the query again.",
    "session-state-lost": "The connection is open again; recreate them, then run this again.",
    "transaction-lost": "Run the transaction again from its start; the next statement reconnects.",
    # Statements, as the server answers them
    "charset-lacks-character": "Run SET NAMES utf8mb4 first.",
    "column-denied": "Ask for a grant on the column; SHOW GRANTS lists yours.",
    "deadlock": "The server rolled the transaction back to break a deadlock; run it again from its start.",
    "event-scheduler-off": "Enable event_scheduler in the DB parameter group.",
    "iam-plugin-missing": "Enable IAM authentication for the database; that installs the plugin.",
    "local-files-off": _NO_LOCAL_FILES,
    "lock-wait-timeout": "Another transaction holds the lock: try again, or find it with SHOW PROCESSLIST.",
    "networking-off": "The server accepts no network connections; ask its administrator.",
    "no-database-selected": "Choose one with USE database, or write database.table.",
    "packet-too-large": "Split it, load the rows another way, or raise max_allowed_packet in the DB parameter group "
    "and connect again.",
    "privilege-missing": "Ask an administrator; RDS does not grant SUPER.",
    "privilege-tables-off": "The server runs without its privilege tables; ask its administrator.",
    "query-killed": "Someone ended the query on the server (KILL QUERY).",
    "row-count-lost": "Run both statements in one cell or call, so that the count is kept.",
    "schema-denied": "Ask for a grant on that schema; SHOW GRANTS lists yours.",
    "schema-unknown": "{command:databases} lists those that you can see.",
    "server-error": "",
    "server-files-off": "secure_file_priv disables files on the server: write the result here with "
    "{command:write}; on Aurora, use SELECT … INTO OUTFILE S3 and LOAD DATA FROM S3.",
    "server-option-forbids": "A server option forbids it; ask its administrator.",
    "server-read-only": "The server is read-only (a reader, or after a failover): connect to the writer.",
    "sql-syntax": "Check the SQL just before the text that the message quotes.",
    "table-denied": "Ask for the grant; SHOW GRANTS lists yours.",
    "time-limit": "Narrow the query, or connect with a longer {option:timeout}.",
    "transaction-read-only": "The session or transaction is read-only: connect without {option:read-only}, or end "
    "START TRANSACTION READ ONLY.",
    "unknown-column": "{command:columns} shows the columns of a table.",
    "unknown-routine": "SHOW FUNCTION STATUS and SHOW PROCEDURE STATUS list the routines that you can see.",
    "unknown-table": "{command:tables} lists the tables that you can see.",
    # Results
    "bucket-unknown": "Correct the name, or create the bucket first.",
    "duplicate-columns": "Give each column its own alias with AS.",
    "file-exists": "Add {option:overwrite} to replace it, or choose another name.",
    "file-is-folder": "Give the path of a file in it.",
    "file-not-written": "Check the path, the free space and the folder's permissions.",
    "folder-unknown": "Create it first, or choose another.",
    "load-differs": "Convert the column to what the table's one keeps, or choose another type for that.",
    "no-rows": "{command:execute} for statements without rows.",
    "number-too-wide": "Select it as text, with CAST(… AS CHAR).",
    "parts-beyond-int64": "Use {option:exact-decimals}, or CAST the column to DOUBLE.",
    "parts-type-differs": "Give the column one type with CAST, or read the query undivided.",
    "polars-unsupported": "Use {command:arrow}, or CAST the column.",
    "result-too-large": "Narrow it with LIMIT, read a part with {option:limit}, write it to a file with "
    "{command:write}, or {command:memory}.",
    "result-unavailable": "",
    "several-result-sets": "{command:result-sets} for statements that return several result sets.",
    "type-not-writable": "Write it in another format, or CAST the column in the SQL.",
    "value-unreadable": "",
    # Setting users and databases up
    "accounts-unreadable": "Give the master user's secret, with {option:secret}.",
    "grant-on": "Grant it by hand if it is meant, as the master user.",
    "host-pattern-invalid": "Write an address, 10.0.% or 10.0.0.0/255.255.0.0; % stands for any.",
    "master-lookup-denied": "Ask for rds:DescribeDBClusters and rds:DescribeDBInstances, or give {option:secret}.",
    "master-of-proxy": "Give the cluster or instance behind it as the target, or {option:secret} too.",
    "master-secret-creating": "Run this again in a few minutes.",
    "master-secret-missing": "Give the one that holds its password, with {option:secret}; or let RDS manage it (RDS "
    "console, Modify: Managed in AWS Secrets Manager).",
    "master-target-missing": "Add {option:target} or {option:secret}, or connect first.",
    "model-restricted": "Give the grants one by one.",
    "privilege-level": "Correct the level, or the privilege.",
    "privilege-unknown": "",
    "revoke-refused": "The master user can revoke only privileges that it may grant. What was done stays.",
    "role-unknown": "Create it first, or correct its name.",
    "user-ambiguous": "Give the grants one by one.",
    "capacity-invalid": "Give 0 to 256 ACU in steps of 0.5, the most at least 1 and not less than the least.",
    "capacity-not-offered": "Change {option:min-acu} or its maximum, or the version: {option:engine-version}.",
    "capacity-of-other-engine": "Omit it.",
    "changes-pending": "Let the window apply them all (omit {option:now}), or add {option:yes}; some changes restart "
    "the database.",
    "database-busy": "Try again when it is available.",
    "database-gone": "",
    "database-protected": "Switch that off first (RDS console, Modify: deletion protection), then run this again.",
    "engine-version-invalid": "Give one as AWS lists it (aws rds describe-db-engine-versions).",
    "engine-version-unknown": "Give another with {option:engine-version}; aws rds describe-db-engine-versions lists "
    "those of {engine}.",
    "grant-refused": "The master user can grant only privileges that it has; correct the grant, then run this again. "
    "What was done stays.",
    "iam-authentication-unsupported": "Check that its engine version and instance class have it, and that the "
    "database is not a replica that takes the setting from elsewhere.",
    "instance-class-invalid": "Write it like db.t4g.micro.",
    "network-everybody": "Name your own network, such as 203.0.113.7/32 ({option:from}); if everybody is meant, add "
    "{option:yes}.",
    "network-id-invalid": "Give it as the VPC console shows it: vpc-… or subnet-…, several with commas.",
    "network-invalid": "Write an IPv4 network such as 10.0.0.0/8 or 203.0.113.7/32, or a security group's id (sg-…).",
    "network-missing": "Say where: {option:vpc}, or {option:subnets}.",
    "network-unknown": "Check the id, the region and the account.",
    "permission-missing": "Ask for the permission {permission}, or use other credentials: {option:profile} or "
    "{option:role-arn}.",
    "policy-gone": "",
    "policy-user-invalid": "Give the name of one database user, or * for any.",
    "provision-failed": "",
    "stack-busy": "Wait until it is done: {command:status}",
    "stack-differs": "Nothing was changed; what is there can be deleted and made anew, or modified in the RDS console.",
    "stack-failed": "Mend that, delete what is left ({command:delete-stack}), then run this again.",
    "stack-foreign": "Choose another name; a stack that was made elsewhere is changed and deleted there.",
    "stack-name-invalid": "Give 1 to 60 letters, digits and single hyphens, a letter first.",
    "stack-protected": "Switch that off first (CloudFormation console, Edit termination protection), then run this "
    "again.",
    "stack-taken": "Run this again.",
    "subnets-elsewhere": "Give subnets of one VPC, the one of {option:vpc} if that is given.",
    "subnets-in-one-zone": "Give subnets in two or more availability zones: {option:subnets}.",
    "subnets-too-few": "Give at least two, in different availability zones: {option:subnets}.",
    "subnets-too-many": "Name some of them: {option:subnets}.",
    "user-exists": "Choose another name, or drop that user first if nobody needs it.",
    "user-missing-there": "Names are case-sensitive, and an account has one host pattern.",
    "user-setup-failed": "",
    "user-with-host": "Give the name {user} and the host pattern {host} apart.",
    "user-without-plugin": "Only users that log in with IAM are changed here.",
    # What should not happen
    "own-query-failed": "",
    "protocol-error": "",
    "unexpected": "",
}


_PLACEHOLDER = re.compile(r"\{([a-z_:-]+)\}")


def spell(text: str, interface: Interface, facts: Mapping[str, object]) -> str:
    """A text with its options and commands as an interface spells them, and its facts filled in."""

    def spelled(match: re.Match[str]) -> str:
        spelling = SPELLINGS.get(match[1])
        return match[0] if spelling is None else spelling[interface.value]

    def filled(match: re.Match[str]) -> str:
        return str(facts.get(match[1]) or match[1].upper())

    return _PLACEHOLDER.sub(filled, _PLACEHOLDER.sub(spelled, text))


class Note(str):
    """A note for the user: a str as spelled for Python, which can also be spelled for the notebook.

    Args:
        template: As in `HINTS`.
        facts: Values of its placeholders.
    """

    __slots__ = ("_notebook",)
    _notebook: str

    def __new__(cls, template: str, **facts: object) -> Note:
        """The text, spelled for Python."""
        return cls.of(spell(template, Interface.PYTHON, facts), spell(template, Interface.NOTEBOOK, facts))

    @classmethod
    def of(cls, python: str, notebook: str) -> Note:
        """A text that is already spelled for both."""
        note = super().__new__(cls, python)
        note._notebook = notebook
        return note

    def __reduce__(self) -> tuple[Callable[[str, str], Note], tuple[str, str]]:
        return Note.of, (str(self), self._notebook)

    def spelled(self, interface: Interface) -> str:
        """The text as an interface spells it."""
        return self._notebook if interface is Interface.NOTEBOOK else str(self)


def spelled(text: str, interface: Interface) -> str:
    """A text as an interface spells it; one that is no `Note` is the same for all."""
    return text.spelled(interface) if isinstance(text, Note) else text
