"""Whether a table takes a frame's rows."""

import pyarrow as pa
import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.ingest.column import Column
from rds_iam_magic.ingest.existing import Existing, check_fit

COLUMNS = [
    ["id", "bigint(20)", "NO", "PRI", None, "auto_increment"],
    ["Name", "varchar(8)", "NO", "", None, ""],
    ["made", "timestamp", "NO", "", "current_timestamp()", "DEFAULT_GENERATED"],
    ["size", "int(11)", "YES", "", None, "VIRTUAL GENERATED"],
    ["at", "datetime(6)", "YES", "", None, ""],
]


def table(kind="BASE TABLE", engine="InnoDB", children=()):
    return Existing.of("t", [kind, engine], COLUMNS, children)


def column(name, values=("a",), kind=None):
    return Column(name, pa.array(values, kind), True, "")


def moment(name, zone):
    return column(name, [0], pa.timestamp("us", zone))


def test_what_fits():
    check_fit([column("NAME"), column("at", [0], pa.timestamp("us"))], table())
    check_fit([column("name"), moment("made", "UTC")], table())


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([column("nmae")], "has no column nmae; it has id, Name"),
        ([column("name"), column("size")], "size of t is generated"),
        ([column("id")], "Column Name of t has no default"),
        ([column("name", ["a", None])], "row 2: there is no value, and the column of t is NOT NULL"),
        ([column("name"), column("id", [None], pa.int8())], "Column id, row 1: there is no value"),
        ([column("name"), moment("at", "UTC")], "Column at has a time zone"),
        ([column("name"), moment("made", None), moment("at", "UTC")], "Column at has a time zone"),
    ],
)
def test_what_does_not(columns, message):
    with pytest.raises(OptionError, match=message):
        check_fit(columns, table())


def test_one_time_zone_for_all_columns():
    two = Existing.of("t", ["BASE TABLE", "InnoDB"], [[n, "timestamp", "YES", "", None, ""] for n in "ab"], [])
    check_fit([moment("a", None), moment("b", None)], two)
    with pytest.raises(OptionError, match="no time zone in the frame, as b has"):
        check_fit([moment("a", None), moment("b", "UTC")], two)


def test_tables_that_cannot_take_rows():
    with pytest.raises(OptionError, match="is a view"):
        table("VIEW", None).check_appendable()
    with pytest.raises(OptionError, match="engine MyISAM"):
        table(engine="MyISAM").check_appendable()
    table(engine="MyISAM").check_replaceable()
    with pytest.raises(OptionError, match="orders has a foreign key to it"):
        table(children=["orders"]).check_replaceable()
