"""Lines that are meant otherwise than they read: comments, options and aliases in the wrong place, logins."""

import re

import pytest

import rds_iam_magic
from rds_iam_magic.aws.endpoint import check_target
from rds_iam_magic.errors import NotConnectedError, OptionError, TargetError
from rds_iam_magic.notebook.grammar import without_comments
from rds_iam_magic.notebook.options import parse_connect, parse_sql
from rds_iam_magic.notebook.setup.lines import parse_policy, parse_user

HELD = ("sandbox", "prod")
BODY = "SELECT 1"


def parse_cell(line, body=BODY):
    return parse_sql(line, body, HELD)


def parse_line(line):
    return parse_sql(line, None, HELD)


@pytest.mark.parametrize(
    ("line", "alias", "variable"),
    [
        ("-- prod", None, None),
        ("--", None, None),
        ("# prod", None, None),
        ("#prod", None, None),
        ("/* prod */", None, None),
        ("/* prod", None, None),
        ("sandbox -- prod", "sandbox", None),
        ("/* the other */ sandbox /* not */ df << -- prod isn't it", "sandbox", "df"),
        ("df << # the orders", None, "df"),
        ("df =<< --limit 5 -- five", None, "df"),
    ],
)
def test_a_comment_on_a_cells_line_is_a_comment(line, alias, variable):
    parsed = parse_cell(line)
    assert (parsed.alias, parsed.variable, parsed.sql) == (alias, variable, BODY)
    assert parsed.limit == (5 if "limit" in line else None)


def test_what_is_no_comment_stays():
    assert without_comments("--to 'a # b.csv' c#d --limit=5 x--y") == "--to 'a # b.csv' c#d --limit=5 x--y"
    assert parse_cell("--to report#1.csv").to == "report#1.csv"


@pytest.mark.parametrize("line", ["-- prod", "# prod", "prod -- SELECT 1", "-q # SELECT 1", "-- SELECT 1"])
def test_a_comment_on_a_line_of_sql_is_sqls(connected, line):
    cell = connected("%rds_sql " + line.replace("prod", "sandbox"))
    assert isinstance(cell.error, OptionError)
    assert "no SQL" in cell.output


def test_comments_in_front_of_sql_reach_the_server():
    assert parse_line("-q /* why */ SELECT 1 -- because").sql == "/* why */ SELECT 1 -- because"


def test_the_other_magics_have_comments_too():
    assert parse_connect("sandbox -u reader -d shop  # the shop").database == "shop"
    assert parse_connect("-- nothing").target is None
    assert parse_policy("reader -- x").user == "reader"


HINTS = [
    (parse_cell, "df", "write %%rds_sql df <<. Open connections: sandbox, prod"),
    (parse_cell, "sandbox df", "write %%rds_sql sandbox df <<"),
    (parse_cell, "sandbx", "Did you mean sandbox[?]"),
    (parse_cell, "SELECT 1", "SQL goes below"),
    (parse_cell, "df << SELECT 1", "SQL goes below"),
    (parse_line, "sandbxo SELECT 1", "Did you mean sandbox[?] Open connections: sandbox, prod"),
    (parse_line, "Sandbox SELECT 1", "Did you mean sandbox[?]"),
    (parse_line, "pord 1", "Did you mean prod[?]"),
    (parse_line, "sandbxo", "Did you mean sandbox[?]"),
    (parse_line, "other SELECT 1", "'other'.*\nOpen connections: sandbox, prod"),
    (parse_line, "other (SELECT 1)", None),
    (parse_line, "other df << SELECT 1", "'other'"),
    (parse_line, "SELEC 1", None),
    (parse_line, "CALL prod(1)", None),
    (parse_line, "SELECT 1 --limit 5", "--limit 5 is part of the SQL.*\n.*%rds_sql --limit 5 …"),
    (parse_line, "SELECT 1 --limit=5 --type polars;", "--limit=5 --type polars is part"),
    (parse_line, "SELECT 1 -q --to x.csv", "-q --to x.csv is part"),
    (parse_line, "SELECT 1 --maxrows 5", "--maxrows 5 is part"),
    (parse_line, "SELECT a --b", None),
    (parse_line, "SELECT '--limit 5", None),
    (parse_line, "SELECT 1 -- --limit 5", None),
    (parse_line, "SELECT 'x --limit 5'", None),
    (parse_line, "SELECT 1 /* --limit 5 */", None),
    (parse_line, "SELECT 1 - -limit", None),
    (parse_line, "SELECT a -o x", None),
    (lambda line: parse_cell("", line), "SELECT 1\n--limit 5\n", "cell's first line: %%rds_sql --limit 5"),
    (lambda line: parse_cell("", line), "--limit 5\nSELECT 1", "cell's first line: %%rds_sql --limit 5"),
    (lambda line: parse_cell("", line), "SELECT 1\n-- --limit 5\n", None),
    (parse_line, "--xyzzy SELECT 1", "no option --xyzzy.\nSee %rds_sql --help"),  # %%rds_sql alone is refused
    (parse_line, "--lmit 5 SELECT 1", "Did you mean --limit"),
    (parse_line, "--timeout 5 SELECT 1", "--timeout is an option of %rds_iam_connect"),
    (parse_line, "-u me SELECT 1", "-u is an option of %rds_iam_connect"),
    (parse_connect, "sandbox -u a --max_results 5", "--max_results is an option of %%rds_sql"),
    (parse_connect, "sandbox -u a --grant x", "--grant is an option of %rds_iam_user"),
    (parse_connect, "sandbox -u a --password x", "There is no password"),
    (parse_connect, "'' -u reader", "target is empty"),
    (parse_connect, "'  ' -u reader", "target is empty"),
    (parse_connect, "sandbox -u reader -d ''", "--database is empty"),
    (parse_connect, "sandbox -u ' '", "--user is empty"),
    (parse_policy, "reader --target ''", "--target is empty"),
    (parse_policy, "''", "name is empty"),
    (parse_user, "create x --secret s --target=''", "--target is empty"),
    (parse_user, "create x --secret ''", "--secret is empty"),
    (parse_user, "create '' --secret s", "name is empty"),
]


@pytest.mark.parametrize(("parse", "line", "words"), HINTS, ids=[hint[1] for hint in HINTS])
def test_a_hint(parse, line, words):
    if words is None:
        assert parse(line) is not None
        return
    with pytest.raises((OptionError, NotConnectedError), match=words) as caught:
        parse(line)
    assert len(str(caught.value).splitlines()) <= 2


def test_an_option_of_one_letter_behind_the_sql_is_told_when_the_server_refuses(connected):
    for line in ("%rds_sql SELECT 1 -o df", "%rds_sql SELECT id FROM orders LIMIT 1 -o df", "%%rds_sql\nSELECT x -q"):
        assert "options go before the SQL" in connected(line).output
    # It may be SQL, which is left alone.
    assert connected.ok("%rds_sql SELECT a -o x FROM (SELECT 3 AS a, 1 AS o) t").value.loc[0, "x"] == 2


PASSWORD = "hunter2"
LOGINS = [
    "%rds_iam_connect mysql://user:hunter2@host/db",
    "%rds_iam_connect mysql+pymysql://user:hunter2@host.example.com:3306/db -u reader",
    "%rds_iam_connect mysql://user:hun/hunter2@host -u reader",
    "%rds_iam_connect user:hunter2@host -u reader",
    "%rds_iam_connect 'host?password=hunter2' -u reader",
    "%rds_iam_connect 'password=hunter2 host=x' -u reader",
    "%rds_iam_connect sandbox mysql://user:hunter2@host -u reader",
    "%rds_iam_connect sandbox -u user:hunter2@host",
    "%rds_iam_connect sandbox -u reader --via user:hunter2@host:3306",
    "%rds_iam_connect sandbox -u reader -A mysql://user:hunter2@host/db",
    "%rds_iam_connect -x mysql://user:hunter2@host/db",
    "%rds_iam_connect sandbox -u reader -p hunter2",
    "%rds_iam_connect sandbox -u reader -phunter2",
    "%rds_iam_connect sandbox -u reader --password hunter2",
    "%rds_iam_connect sandbox -u reader --password=hunter2",
    "%rds_iam_connect sandbox -u reader 'hunter2",
    "%rds_sql mysql://user:hunter2@host/db SELECT 1",
    "%%rds_sql mysql://user:hunter2@host/db\nSELECT 1",
    "%%rds_sql mysql://user:hunter2@host/db df <<\nSELECT 1",
    "%rds_sql -phunter2 SELECT 1",
    "%rds_sql -A mysql://user:hunter2@host/db SELECT 1",
    "%%rds_sql -A user:hunter2@host\nSELECT 1",
    "%rds_sql -f mysql://user:hunter2@host/db",
    "%rds_sql -S mysql://user:hunter2@host/db SELECT 1",
    "%rds_sql -w mysql://user:hunter2@host/db SELECT 1",
    "%rds_sql -o mysql://user:hunter2@host/db SELECT 1",
    "%rds_tables -A mysql://user:hunter2@host/db",
    "%rds_explain -A mysql://user:hunter2@host/db SELECT 1",
    "%rds_iam_policy reader --target mysql://user:hunter2@host/db",
    "%rds_iam_user create x --secret s --target mysql://user:hunter2@host/db",
    "%rds_iam_user create user:hunter2@host --secret s",
    "import rds_iam_magic; rds_iam_magic.connect('mysql://user:hunter2@host/db', user='reader')",
    "import rds_iam_magic; rds_iam_magic.connect('sandbox', user='user:hunter2@host')",
    "import rds_iam_magic; rds_iam_magic.connect('sandbox', user='reader', via='user:hunter2@host')",
]


@pytest.mark.parametrize("line", LOGINS)
def test_a_password_on_the_line_is_not_repeated(connected, line):
    connected.ok("%xmode Verbose")
    cell = connected(line)
    assert isinstance(cell.error, (OptionError, TargetError))
    assert PASSWORD not in cell.output
    assert re.search("password|not closed|-p", cell.output)
    if cell.error.holds_input:
        assert PASSWORD not in connected("%tb").output


@pytest.mark.parametrize("target", ["", " ", None])
def test_no_target_in_python(inside, target):
    assert inside.server.pid
    with pytest.raises(OptionError, match="target is empty"):
        rds_iam_magic.connect(target, user="reader")


@pytest.mark.parametrize("target", ["sandbox", "my-cluster.cluster-ab.eu-west-1.rds.amazonaws.com:3306", "localhost"])
def test_targets_are_targets(target):
    check_target(target)


def test_names_with_an_at_sign_are_no_logins():
    arn = "arn:aws:iam::123456789012:role/team@corp"
    parsed = parse_connect(f"sandbox -u ann@corp.com --role-arn {arn} --external-id a:b@c")
    assert (parsed.user, parsed.options.role_arn, parsed.options.external_id) == (
        "ann@corp.com",
        arn,
        "a:b@c",
    )
    assert parse_line("--to s3://bucket/a:b@c.csv SELECT 1").to == "s3://bucket/a:b@c.csv"


def test_an_alias_typo_where_a_connection_is_named(connected):
    assert "Did you mean sandbox?" in connected("%rds_iam_connect sandbxo").output
    assert "Did you mean sandbox?" in connected("%rds_iam_connect -x sandbxo").output
    assert "Did you mean sandbox?" in connected("%%rds_sql sandbxo\nSELECT 1").output


def test_a_user_without_grants_is_told_of(shell, inside):
    line = "%rds_iam_user create sees_nothing --secret sandbox/standalone/master"
    try:
        for said in ("Created sees_nothing.", "sees_nothing already existed; nothing was changed."):
            shown = shell.ok(line).output
            assert said in shown
            assert "has no privileges" in shown
            assert "--grant" in shown
        assert "has no privileges" not in shell.ok(f"{line} --grant 'SELECT ON shop.*'").output
        assert "has no privileges" not in shell.ok(line).output
    finally:
        with inside.server.root() as root:
            root.execute("DROP USER IF EXISTS 'sees_nothing'@'%'")
