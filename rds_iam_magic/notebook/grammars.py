"""The grammar of each magic's line: a table of options, which drives parsing and `--help`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from rds_iam_magic.charts.options import KINDS
from rds_iam_magic.connect_options import CONNECT_ARGUMENTS, ConnectOptions, TargetOptions
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.notebook.grammar import Grammar, Option
from rds_iam_magic.option import OptionInfo, options_of
from rds_iam_magic.results.formats import QUERY_ARGUMENTS, ResultType
from rds_iam_magic.setup.provision.request import ProvisionOptions


def options_from(infos: dict[str, OptionInfo]) -> Iterator[Option]:
    """Magic options from Python arguments; an argument that can be on, off or unset becomes two flags."""
    for key, info in infos.items():
        name = key.replace("_", "-")
        yield Option(name, info)
        if info.off_text:
            yield Option(f"no-{name}", OptionInfo(info.off_text))


_CONNECT = tuple(options_from(options_of(ConnectOptions)))
_AWS = tuple(option for option in _CONNECT if option.info.for_aws)
_WHERE = tuple(options_from(options_of(TargetOptions)))
_DATABASE = tuple(option for option in _WHERE if option.key in ("stack", "secret"))
"""What names a database, whichever of its endpoints is meant."""
_SETTINGS = tuple(options_from(options_of(SessionSettings)))
_TARGET = CONNECT_ARGUMENTS["target"]

_ABOUT_TARGET = f"TARGET: {_TARGET.text} A URL without a password, mysql://USER@HOST:PORT/DATABASE, will do, too."

FEEDBACK = OptionInfo(
    "What a cell tells beside its results: `0` only notes about values and connections, `1` also a line after each "
    "statement (rows, time, connection), `2` also the progress of a statement that takes longer than 2 s.",
    default=2,
)

COMPLETION = OptionInfo(
    "Read what the server has (schemas, tables, columns, routines) so that it can be completed: in the background, by "
    "a short session of its own, after connecting and after statements that change it. `False` leaves keywords, "
    "options and what was used before.",
    default=True,
    default_text="`True`",
)

AUTOLIMIT = OptionInfo(
    "Cut each result at so many rows, as `--limit` does, where that is not given; a note tells each cut. "
    "`0` cuts none. Files (`--to`) and `--parallel` are never cut.",
    default=0,
)

HIGHLIGHT = OptionInfo(
    "Colour the SQL of `%%rds_sql` and `%%rds_explain` in IPython's terminal. (JupyterLab and Notebook 7 have a "
    "setting for it.)",
    default=True,
    default_text="`True`",
)

CONNECT_ALIAS = Option(
    "alias",
    OptionInfo(
        "Name of the connection.",
        default_text="the section's name, else the target's identifier (with `--reader`, `-reader` behind it)",
        metavar="ALIAS",
        short="A",
    ),
)

_COLOR = Option(
    "color", OptionInfo("Column whose values have a colour each; the six most frequent ones.", metavar="COL")
)

CONNECT = Grammar(
    "%rds_iam_connect",
    (
        "TARGET -u USER [-d DATABASE] [options]",
        "--stack NAME | --secret ID -u USER [-d DATABASE] [options]",
        "--section NAME [options]",
        "[ALIAS]",
        "--connections | --close ALIAS",
    ),
    f"""
    Connect to RDS or Aurora (MySQL, MariaDB) without a password.

    Your AWS credentials become a 15-minute token, and TLS is verified with the RDS CA bundle before it is sent. The
    connection stays open for %%rds_sql.

    {_ABOUT_TARGET}

    Several connections can be open, each under an alias; the one last connected or named is the current one. ALIAS
    alone makes that connection current; an empty line shows which one is.

    --save NAME keeps the line's options as a section of ~/.config/rds_iam_magic/connections.ini, which holds no secret;
    --section NAME connects with them. Without a connection, an empty line connects with the section default.
    (%%rds_sql --save NAME keeps a query.)
    """,
    (
        *options_from({key: CONNECT_ARGUMENTS[key] for key in ("user", "database", "port", "section")}),
        Option(
            "save",
            OptionInfo(
                "Keep this line's options as a section of that file, once connected.", metavar="NAME", short="S"
            ),
        ),
        *_WHERE,
        *_CONNECT,
        CONNECT_ALIAS,
        *_SETTINGS,
        Option("connections", OptionInfo("List the open connections.", short="l")),
        Option("close", OptionInfo("Close a connection.", metavar="ALIAS", short="x")),
    ),
)

SQL = Grammar(
    "%%rds_sql",
    (
        "[ALIAS] [VAR <<] [options]   (the SQL in the cell's body)",
        "[ALIAS] [VAR <<] [options] SELECT …",
        "[ALIAS] --persist | --append | --persist-replace DF [TABLE]   (%rds_sql)",
    ),
    """
    Run SQL; rows come back as a pandas DataFrame.

    The dtypes follow from the columns' declarations; other statements return the number of rows that they changed.
    Parameters aside, the SQL reaches the server as written.

    Several statements run in order; each result is shown as soon as it is complete, and the last one is the cell's
    value. A statement that fails ends the cell with an error. The value of a statement with several result sets, such
    as CALL, is its last one. On the line of %%rds_sql itself, "-- …", "# …" and "/* … */" are comments.

    :name in the SQL is bound to the notebook's variable name, :name.part and :name["key"] to what is in it. A list
    expands: WHERE id IN :ids. Where the SQL itself means a colon, write \\:name, or use --no-bind.

    --persist DF writes the DataFrame DF into a table of its name, or TABLE: all rows or none, read back and compared;
    what cannot be stored exactly is an error. --with NAME=DF makes a temporary table of DF for the SQL to join with;
    it ends with the session.

    --save NAME keeps a query, and --with NAME lets a later statement read from it, as from a table: it becomes a common
    table expression (WITH) there, with the values that its parameters have then. It is seen instead of a table of that
    name. What it reads from is given where it is saved: --save best --with top. Saving again replaces it.

    --plot shows a chart in the place of the rows: a guess by the columns, or line, bar, area, scatter, hist, box or
    heatmap, of the columns that -x, -y and --color name. The value is the same DataFrame as without it; but for hist,
    box and heatmap without VAR the server counts, and the value is what it counted.

    VAR << (or -o VAR) assigns instead of showing; VAR =<< does both. --to FILE writes the rows to a file as they
    arrive, so they need not fit in memory.

    After each statement a line shows its rows, time and connection; one that takes over 2 s shows how far it is. Set
    %config RdsIamMagics.feedback = 1 for the line only, 0 for neither.
    """,
    (
        Option("out", OptionInfo("Assign the result to VAR instead of showing it.", metavar="VAR", short="o")),
        Option("quiet", OptionInfo("Show no result and no feedback, return nothing; VAR << still assigns.", short="q")),
        Option("file", OptionInfo("Take the SQL from FILE (UTF-8).", metavar="FILE", short="f")),
        Option(
            "save",
            OptionInfo(
                "Keep the query under a name, for `--with NAME`, once it has run (with `--dry-run`, without).",
                metavar="NAME",
                short="S",
            ),
        ),
        Option("saved", OptionInfo("List the saved queries.")),
        Option(
            "explain", OptionInfo("Show the plan of the statement, as `%rds_explain`, and do not run it.", short="e")
        ),
        Option("limit", QUERY_ARGUMENTS["limit"], aliases=("maxrows", "max-results")),
        Option(
            "type",
            OptionInfo(
                "Type of the result: `pandas`, `arrow` or `polars`.",
                default="pandas",
                choices=get_args(ResultType),
                metavar="TYPE",
            ),
        ),
        Option("dtype-backend", QUERY_ARGUMENTS["dtype_backend"]),
        Option("decimal", QUERY_ARGUMENTS["decimal"]),
        Option("parallel", QUERY_ARGUMENTS["parallel"]),
        Option("on", QUERY_ARGUMENTS["on"]),
        Option("consistent", QUERY_ARGUMENTS["consistent"]),
        Option(
            "to", OptionInfo("Write to FILE: `.parquet`, `.csv`, `.csv.gz` or `.arrow`; `s3://` too.", metavar="FILE")
        ),
        Option("overwrite", QUERY_ARGUMENTS["overwrite"]),
        Option(
            "plot",
            OptionInfo(
                f"Show a chart: {', '.join(f'`{kind}`' for kind in KINDS)}.",
                default_text="a guess by the columns",
                choices=KINDS,
                metavar="KIND",
            ),
            optional=True,
        ),
        Option("x", OptionInfo("Column along the chart's x axis.", metavar="COL", short="x")),
        Option("y", OptionInfo("Column along its y axis; can be repeated.", metavar="COL", short="y"), many=True),
        _COLOR,
        Option(
            "persist",
            OptionInfo("Write the DataFrame DF into a new table; one that exists is an error.", metavar="DF"),
        ),
        Option(
            "append",
            OptionInfo("Append DF to a table, whose columns decide; made if it is missing.", metavar="DF"),
        ),
        Option(
            "persist-replace", OptionInfo("Write DF into a table in the place of the one that exists.", metavar="DF")
        ),
        Option("no-index", OptionInfo("Do not write the index of DF, even if it has a name.")),
        Option(
            "with",
            OptionInfo(
                "Read from the saved query NAME, or with `NAME=DF` from a DataFrame, as a temporary table; can be "
                "repeated.",
                metavar="NAME[=DF]",
                short="w",
            ),
            many=True,
        ),
        Option(
            "params",
            OptionInfo(
                "Dict with the values of the parameters: a variable, or JSON in single quotes.",
                default_text="the notebook's variables",
                metavar="VAR",
            ),
        ),
        Option("no-bind", OptionInfo("Bind nothing: colons are sent as they are.")),
        Option(
            "dry-run",
            OptionInfo("Show what would be sent, with the values as literals, and run nothing.", short="N"),
            aliases=("no-execute",),
        ),
        Option(
            "jinja",
            OptionInfo(
                "Fill in `{{ … }}` and `{% … %}` by Jinja; values are bound, not pasted, unless marked as SQL: "
                "`{{ x | sql }}`. A template is code, as a cell is: that of a file, too.",
                short="j",
            ),
        ),
        Option(
            "alias",
            OptionInfo(
                "Alias of the connection to use; it may also be the first word.",
                default_text="the current one",
                metavar="ALIAS",
                short="A",
            ),
        ),
    ),
)

USER = Grammar(
    "%rds_iam_user",
    (
        "create NAME [--grant 'SELECT ON shop.*'] [--like USER] [--host '%'] [options]",
        "grant NAME --grant 'SELECT (id), INSERT ON shop.orders' [options]",
        "revoke NAME --grant 'ALL ON shop.*' [options]",
        "drop NAME [options]",
        "show NAME | list [options]",
    ),
    """
    Create, change and look at the database users that log in with IAM.

    They have AWSAuthenticationPlugin, REQUIRE SSL and grants. This runs as the master user, whose password is read from
    Secrets Manager, used over verified TLS, and never shown. Running it again changes nothing. Accounts that log in in
    another way, such as by password, are never changed.

    The database is TARGET, the one that the secret names, or the current connection's. Without --secret, the secret is
    the one that RDS manages for it (Secrets Manager, in the RDS console), which is looked up.

    A grant is what SQL has between GRANT and TO: PRIVILEGES ON SCHEMA.*, ON SCHEMA.TABLE, ON PROCEDURE SCHEMA.NAME, or
    the name of a role. ALL means the privileges that the master user may grant there; revoked, all that the user has
    there. In backquotes, _ and % in the name of a schema are wildcards.
    """,
    (
        Option(
            "secret",
            OptionInfo(
                "The master user's secret: its name or ARN.",
                default_text="the one that RDS manages",
                metavar="SECRET_ID",
            ),
        ),
        Option(
            "grant",
            OptionInfo("What to grant or revoke; can be repeated.", metavar="'PRIVILEGES ON SCHEMA.TABLE'"),
            many=True,
        ),
        Option(
            "like", OptionInfo("Grant what this user has, too, as far as the master user may grant it.", metavar="USER")
        ),
        Option("host", OptionInfo("Host pattern that the user connects from.", default="%", metavar="PATTERN")),
        Option("dry-run", OptionInfo("Show the SQL that would run, and run none that writes.", short="N")),
        Option(
            "target",
            OptionInfo(
                _TARGET.text,
                default_text="the database that the secret names, or the current connection's",
                metavar=_TARGET.metavar,
            ),
        ),
        *(option for option in _DATABASE if option.key == "stack"),
        *_CONNECT,
    ),
)

POLICY = Grammar(
    "%rds_iam_policy",
    (
        "USER [TARGET … | --stack NAME | --secret ID] [options]",
        "USER [TARGET …] --attach role/NAME|user/NAME|group/NAME [--name POLICY] [--dry-run] [--fix] [options]",
        "USER --resource-id ID --account N --region REGION [--attach …]",
    ),
    """
    Show the IAM policy that lets a principal connect as the database user USER.

    It names the database's resource id,
    which is neither its identifier nor its host name. The databases are the TARGETs, else the current connection's, and
    are looked up (rds:DescribeDBClusters, rds:DescribeDBInstances; for a proxy rds:DescribeDBProxies); from its ids
    alone, AWS is not asked.

    With --attach, an inline policy of the role, user or group allows it: a diff shows what changes, and run again,
    nothing does. A policy of that name keeps all that it allows. Before that, the principal's policies are looked over
    for statements that allow nothing: those with rds:connect, with an identifier instead of a resource id, with the id
    of an instance in an Aurora cluster.
    """,
    (
        Option(
            "target",
            OptionInfo(_TARGET.text, default_text="the current connection's", metavar=_TARGET.metavar),
            many=True,
        ),
        *_DATABASE,
        Option(
            "resource-id",
            OptionInfo(
                "Resource id of the DB cluster, DB instance or proxy: `cluster-…`, `db-…`, `prx-…`.", metavar="ID"
            ),
        ),
        Option("account", OptionInfo("AWS account of the database: 12 digits.", metavar="N")),
        Option(
            "attach",
            OptionInfo(
                "Attach the policy to this role, user or group: its name, behind its path if it has one, or its ARN.",
                metavar="role/NAME|user/NAME|group/NAME",
            ),
        ),
        Option("name", OptionInfo("Name of the inline policy.", default="rds-iam-connect", metavar="POLICY")),
        Option("dry-run", OptionInfo("Show what would change, and change nothing.")),
        Option(
            "fix",
            OptionInfo("Replace what is wrong in the principal's inline policies, where it is known what is right."),
        ),
        Option(
            "wildcard",
            OptionInfo("Let USER be a pattern for several users: `*` and `?`, or a variable, `${…}`."),
        ),
        *_AWS,
    ),
)

_YES = Option("yes", OptionInfo("Go on after what was told; without it nothing is changed."))

PROVISION = Grammar(
    "%rds_iam_provision",
    ("deploy STACK [--from NETWORK] [options] --yes", "status STACK", "delete STACK --yes"),
    """
    Create a database of your own as a CloudFormation stack.

    It is Aurora MySQL Serverless v2, or RDS for MySQL, with IAM authentication, TLS required, encrypted storage, a
    master user whose password RDS keeps in a secret, logs in CloudWatch, a security group, and a policy for those who
    may connect. What is to be made and what it costs is told first; --yes goes on. STACK is the database's identifier,
    too. A stack that is there already stays as it is.

    status shows how a stack is, its outputs, and what to do next. delete tells what goes, and with --yes deletes it;
    a last snapshot is kept.
    """,
    (
        _YES,
        Option(
            "from",
            OptionInfo(
                "IPv4 network that may reach the database's port, such as `10.0.0.0/8`, or a security group (`sg-…`) "
                "whose members may.",
                metavar="NETWORK",
                default_text="nobody",
            ),
        ),
        *options_from(options_of(ProvisionOptions)),
        *_AWS,
    ),
)

ENABLE = Grammar(
    "%rds_iam_enable",
    ("TARGET [--now] [--wait] [options]",),
    """
    Switch IAM database authentication on for a database that is there already.

    For an instance in a cluster, it is switched on for the cluster. AWS does it in the next maintenance window, or at
    once with --now; the database is not restarted.
    """,
    (
        Option("now", OptionInfo("Apply it at once, not in the maintenance window.")),
        Option("wait", options_of(ConnectOptions)["wait"]),
        Option("yes", OptionInfo("With `--now`: also apply the other changes that are due in the maintenance window.")),
        *_AWS,
    ),
)

ACCESS = Grammar(
    "%rds_iam_access",
    ("[TARGET | --stack NAME] [--secret SECRET_ID] [-u USER] [--all] [options]",),
    """
    Say who may connect as whom.

    A DataFrame has the database users that log in with IAM, against the users and roles of the AWS account whose
    policies let them. Connect is yes, no, denied (by an explicit Deny) or unknown (it depends on the
    login, as conditions do); By is the policy that decides. Accounts that nobody may use, administrators aside who
    may connect as any user, have a row without a Principal; database users that a policy names and that have no account
    for IAM, one without a Host.

    The accounts are read as the master user, as %rds_iam_user does it; the policies by
    iam:GetAccountAuthorizationDetails. Service control policies and policies of sessions are not looked at: they can
    take away what is said here, never add to it. Nor is who may assume a role, which its trust policy says, nor the AWS
    account's root user.
    """,
    (
        Option("secret", USER.info("secret")),
        Option("user", OptionInfo("Only this database user.", metavar="USER", short="u")),
        Option("all", OptionInfo("Also the users and roles that no policy lets connect, for each account.")),
        Option("target", USER.info("target")),
        *(option for option in _DATABASE if option.key == "stack"),
        *_CONNECT,
    ),
)

DOCTOR = Grammar(
    "%rds_iam_doctor",
    (
        "TARGET -u USER [options]",
        "[ALIAS] [options]",
        "[TARGET -u USER] --fix N [options]",
    ),
    """
    Say why a database user cannot log in.

    It goes step by step, from the AWS credentials to the grants: the verdict comes first, then what was found. It only
    looks; it logs in once, if it can, and closes that session. What it may not look at is unknown,
    with the permission that it takes: never a problem. Without TARGET: the connection that failed last, else the
    current one.

    It takes the options of %rds_iam_connect, so that only the magic's name changes; those of a session make no
    difference here. With --secret the server's accounts are looked at, too, as the master user; without TARGET the
    secret also names the database.

    --fix N does what finding N says is to be done, if it can be done from here: attach the policy, create the user,
    switch IAM authentication on. It shows what it changes, and diagnoses again.
    """,
    (
        *options_from({key: CONNECT_ARGUMENTS[key] for key in ("user", "database", "port", "section")}),
        Option(
            "secret",
            OptionInfo(
                "The master user's secret: its name or ARN. With it the server's accounts are looked at, too; without "
                "a target it also names the database.",
                metavar="SECRET_ID",
            ),
        ),
        Option("json", OptionInfo("The diagnosis as JSON.")),
        Option(
            "share",
            OptionInfo(
                "Mask account ids, host names, addresses, and the names of users, roles and secrets, each always the "
                "same way."
            ),
        ),
        Option("fix", OptionInfo("Do what finding N says is to be done, then diagnose again.", metavar="N")),
        *(option for option in _WHERE if option.key != "secret"),
        *_CONNECT,
        CONNECT_ALIAS,
        *_SETTINGS,
    ),
)

_ALIAS = Option(
    "alias",
    OptionInfo("Alias of the connection to use.", default_text="the current one", metavar="ALIAS", short="A"),
)

TABLES = Grammar(
    "%rds_tables",
    ("[PATTERN] [-A ALIAS]",),
    """
    List tables and views.

    Each has its rows and bytes, as the server estimates them, and its comment. PATTERN is a name, `ord%` or
    `ord*` (then `_` stands for itself), or with a schema `shop.*`. Without one: all in the default schema; where none
    is selected, in all schemas but the system's.
    """,
    (_ALIAS,),
)

_TABLE = "TABLE is `table` or `schema.table`; a name with other characters goes in backquotes."

COLUMNS = Grammar(
    "%rds_columns",
    ("TABLE [-A ALIAS]",),
    f"""
    Show the columns of a table or view.

    Each has its type, whether it may be NULL, key, default and comment. {_TABLE}
    """,
    (_ALIAS,),
)

PREVIEW = Grammar(
    "%rds_preview",
    ("TABLE [N] [-A ALIAS]",),
    f"""
    Show some rows of a table or view: the first ones that the server returns.

    N is how many. Default: 10. {_TABLE}
    """,
    (_ALIAS,),
)

DDL = Grammar(
    "%rds_ddl",
    ("TABLE [-A ALIAS]",),
    f"""
    Show the statement that creates a table or view.

    {_TABLE}
    """,
    (_ALIAS,),
)

PROFILE = Grammar(
    "%rds_profile",
    ("TABLE [--all] [-A ALIAS]",),
    f"""
    Show what is in each column of a table.

    The DataFrame has a row for each: how many values, NULLs and distinct values there are, the most frequent values,
    min, quartiles, max and mean. One statement reads the table once; of a large one (over 1,000,000 rows, or less if it
    is wide) it reads a random sample, and a note says so. {_TABLE}
    """,
    (_ALIAS, Option("all", OptionInfo("Read all rows of a large table."))),
)

PLOT = Grammar(
    "%rds_plot",
    ("TABLE COLUMN… [--kind KIND] [--color COL] [-A ALIAS]",),
    f"""
    Show a chart of a table's columns.

    The server counts, so the table may be large: for one column, the rows for each text, or in bins of a number or a
    time; for two, the rows for each pair of these, or, for a text and a number, a box from the first to the third
    quartile, with lines to the minimum and maximum. Other kinds read the first 5,000 rows. The value is a DataFrame of
    what was counted.
    {_TABLE}
    """,
    (
        _ALIAS,
        Option(
            "kind",
            OptionInfo(
                f"The kind of chart: {', '.join(f'`{kind}`' for kind in KINDS)}.",
                default_text="`hist`, `box` or `heatmap`, by the columns",
                choices=KINDS,
                metavar="KIND",
            ),
        ),
        _COLOR,
    ),
)

EXPLAIN = Grammar(
    "%rds_explain",
    ("[-A ALIAS] [--analyze] SELECT …", "[-A ALIAS] [--analyze]   (%%rds_explain: the SQL in the cell's body)"),
    """
    Show the plan of a statement as a tree.

    Of the tables under one step, each is read once for every row of the one above it. The statement is not run, except
    with --analyze: that runs a query, and shows the rows and time of each step.
    """,
    (
        _ALIAS,
        Option("analyze", OptionInfo("Run the query, and show the rows and time of each step.")),
    ),
)

DATABASES = Grammar(
    "%rds_databases",
    ("[-A ALIAS]", "--aws [options]"),
    """
    List the schemas on the server, or the databases in your AWS account.

    With --aws: the clusters and instances that your AWS credentials may see, with engine, status, endpoint and whether
    IAM authentication is on; that needs no connection.
    """,
    (_ALIAS, Option("aws", OptionInfo("List the clusters and instances of a region.")), *_AWS),
)

LOAD = Grammar(
    "%rds_load",
    ("DF [TABLE] [--append | --replace] [-A ALIAS]",),
    f"""
    Write a DataFrame into a table of its name, or TABLE.

    As --persist, --append and --persist-replace of %rds_sql do:
    all rows or none, read back and compared. A table that exists is an error without --append or --replace.
    {_TABLE}
    """,
    (
        Option("append", OptionInfo("Append to the table, whose columns decide; made if it is missing.")),
        Option("replace", OptionInfo("Write into a table in the place of the one that exists.")),
        Option("no-index", SQL.info("no_index")),
        Option("quiet", OptionInfo("Show no feedback.", short="q")),
        _ALIAS,
    ),
)

GRAMMARS = (
    CONNECT, SQL, LOAD, DOCTOR, USER, POLICY, ACCESS, PROVISION, ENABLE, TABLES, COLUMNS, PREVIEW, DDL, PROFILE, PLOT,
    EXPLAIN, DATABASES,
)  # fmt: skip
