"""The server counts what is counted here, for the same rows: every type, values at edges, NULL, zero dates."""

import datetime as dt
import itertools
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rds_iam_magic.charts.counting import count, quartiles
from rds_iam_magic.charts.drawing import boxes, counts, draw
from rds_iam_magic.charts.fields import Field, fields_of, table_of
from rds_iam_magic.charts.layout import layout_of
from rds_iam_magic.charts.on_server import Query
from rds_iam_magic.charts.options import PlotOptions
from rds_iam_magic.errors import OptionError, ResultError, StatementError
from rds_iam_magic.sql.binding import bind

pytestmark = pytest.mark.slow  # servers and kernels

TYPES = {
    "INT": st.integers(-(2**31), 2**31 - 1) | st.integers(-3, 3),
    "BIGINT UNSIGNED": st.integers(0, 2**64 - 1),
    "DECIMAL(10,2)": st.decimals(-1000, 1000, places=2) | st.integers(0, 20).map(lambda n: Decimal(n) / 10),
    "DECIMAL(30,0)": st.integers(-(10**20), 10**20),
    "DOUBLE": st.floats(-1e300, 1e300) | st.integers(-20, 20).map(lambda n: n / 10),
    "FLOAT": st.floats(-(2.0**100), 2.0**100, width=32),
    "DATE": st.dates(dt.date(1000, 1, 1)),
    "DATETIME(6)": st.datetimes(dt.datetime.fromisoformat("1000-01-01")),
    "TIMESTAMP": st.datetimes(dt.datetime.fromisoformat("1971-01-01"), dt.datetime.fromisoformat("2037-01-01")).map(
        lambda moment: moment.replace(microsecond=0)
    ),
    "VARCHAR(20) COLLATE utf8mb4_general_ci": st.sampled_from(["a", "A", "a ", "ä", "", "<b>", "東京"]),
    "ENUM('b', 'a')": st.sampled_from(["a", "b"]),
    "BIT(1)": st.booleans(),
}
EXAMPLES = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
_names = itertools.count()


def filled(db, rows, *types):
    """A query of rows, in columns of these types."""
    name = f"counted_{next(_names)}"
    columns = ", ".join(f"`a.{place}` {kind} NULL" for place, kind in enumerate(types))
    db.execute(f"CREATE TEMPORARY TABLE {name} ({columns})")
    for start in range(0, len(rows), 200):
        part = rows[start : start + 200]
        values = {f"v{i}_{j}": value for i, row in enumerate(part) for j, value in enumerate(row)}
        texts = ", ".join(f"({', '.join(f':v{i}_{j}' for j in range(len(types)))})" for i in range(len(part)))
        db.execute(bind(f"INSERT INTO {name} VALUES {texts}", values).text)
    return f"SELECT * FROM {name}"


def both(db, sql, **options):
    """What is counted there and here."""
    query = Query.of(db, sql)
    layout = layout_of(fields_of(query.schema()), PlotOptions(**options))
    table = table_of(db.query(sql))
    here = layout_of(fields_of(table.schema), PlotOptions(**options), table)
    if layout.kind == "box":
        there, found = query.quartiles(layout), quartiles(table, here)
        return {key: box for (key, _), box in there.found.items()}, {key: box for (key, _), box in found.found.items()}
    return query.count(layout), count(table, here)


@pytest.mark.parametrize("kind", TYPES)
@EXAMPLES
@given(data=st.data())
def test_a_histogram(db, kind, data):
    values = data.draw(st.lists(TYPES[kind] | st.none(), min_size=1, max_size=60))
    there, here = both(db, filled(db, [(value,) for value in values], kind), kind="hist")
    assert there.groups == here.groups
    assert (there.bins, there.bounds) == (here.bins, here.bounds)
    assert sum(there.groups.values()) == len(values)


@pytest.mark.parametrize(("x", "y"), [("DECIMAL(10,2)", "DATE"), ("ENUM('b', 'a')", "INT"), ("BIT(1)", "DOUBLE")])
@EXAMPLES
@given(data=st.data())
def test_a_heatmap(db, x, y, data):
    rows = data.draw(st.lists(st.tuples(TYPES[x] | st.none(), TYPES[y] | st.none()), min_size=1, max_size=60))
    there, here = both(db, filled(db, rows, x, y), kind="heatmap", x="a.0", y=("a.1",))
    assert there.groups == here.groups
    assert there.bins == here.bins


@pytest.mark.parametrize("kind", ["INT", "DECIMAL(10,2)", "DOUBLE", "FLOAT", "BIGINT UNSIGNED"])
@EXAMPLES
@given(data=st.data())
def test_boxes(db, kind, data):
    texts = TYPES["VARCHAR(20) COLLATE utf8mb4_general_ci"]
    rows = data.draw(st.lists(st.tuples(texts | st.none(), TYPES[kind] | st.none()), min_size=1, max_size=60))
    sql = filled(db, rows, "VARCHAR(20) COLLATE utf8mb4_general_ci", kind)
    there, here = both(db, sql, kind="box")
    assert there == here
    there, here = both(db, sql.replace("*", "`a.1`"), kind="box")
    assert there == here


def test_colours_are_counted_too(db):
    sql = filled(db, [(1, "a"), (1, "b"), (2, None)], "INT", "VARCHAR(5)")
    there, here = both(db, sql, kind="hist", color="a.1")
    assert there.groups == here.groups == {(0, "a"): 1, (0, "b"): 1, (1, None): 1}


def test_whole_decimals_beyond_63_bits(db):
    """In a frame they are float64."""
    there, here = both(db, filled(db, [(2**63,), (2**63 + 5000,)], "DECIMAL(30,0)"), kind="hist")
    assert (there.groups, there.bins) == (here.groups, here.bins)


def test_zero_dates_are_missing_as_in_a_frame(db, notes):
    db.execute("SET SESSION sql_mode = ''")
    db.execute("CREATE TEMPORARY TABLE zero (a DATE)")
    db.execute("INSERT INTO zero VALUES ('0000-00-00'), ('2024-00-00'), ('2024-01-00'), ('2024-01-05'), (NULL)")
    there, here = both(db, "SELECT a FROM zero", kind="hist")
    assert there.groups == here.groups == {(0,): 1, (None,): 4}
    assert not [note for note in notes if "warning" in note]


def test_dates_of_no_calendar_are_missing_as_in_a_frame(db):
    db.execute("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
    db.execute("CREATE TEMPORARY TABLE later (a DATE)")
    db.execute("INSERT INTO later VALUES ('2024-02-31'), ('2024-02-28'), ('2023-02-29'), ('2024-01-31')")
    for mode in ("ALLOW_INVALID_DATES", "", "TRADITIONAL"):
        db.execute(f"SET SESSION sql_mode = '{mode}'")
        there, here = both(db, "SELECT a FROM later", kind="hist")
        assert there.groups == here.groups
        assert (there.bins, sum(there.groups.values()), there.groups[(None,)]) == (here.bins, 4, 2)


@pytest.mark.parametrize("kind", TYPES)
@EXAMPLES
@given(data=st.data())
def test_colours_and_boxes_of_any_type(db, kind, data):
    """Where the server would write a value in another way than a frame, the rows are read."""
    values = data.draw(st.lists(TYPES[kind] | st.none(), min_size=1, max_size=20))
    sql = filled(db, [(place, value) for place, value in enumerate(values)], "INT", kind)
    for options in ({"kind": "hist", "x": "a.0", "color": "a.1"}, {"kind": "box", "x": "a.1", "y": ("a.0",)}):
        query = Query.of(db, sql)
        layout = layout_of(fields_of(query.schema()), PlotOptions(**options))
        is_box = layout.kind == "box"
        there = query.quartiles(layout) if is_box else query.count(layout)
        if there is None:
            assert kind.startswith(("D", "FLOAT", "TIMESTAMP", *(["BIT"] if is_box else [])))
            continue
        drawn = boxes(there, layout) if is_box else counts(there, layout)
        here = draw(table_of(db.query(sql)), PlotOptions(**options))
        assert sorted(map(repr, drawn.rows)) == sorted(map(repr, here.rows))
        assert (drawn.x, drawn.y, drawn.notes) == (here.x, here.y, here.notes)


def test_a_category_without_a_value_is_told(db):
    sql = filled(db, [("a", 1), ("b", None), (None, None)], "VARCHAR(5)", "INT")
    for found in both(db, sql, kind="box"):
        assert list(found) == ["a"]
    layout = layout_of(fields_of(Query.of(db, sql).schema()), PlotOptions("box"))
    assert boxes(Query.of(db, sql).quartiles(layout), layout).notes == ["2 rows with NULL in a.1"]


def test_what_cannot_be_counted_there(db):
    asked = Query.of(db, "SELECT 1 AS a, 2 AS a")
    assert asked.schema() is None, "two columns of the same name"
    for sql in (
        "SELECT 1; SELECT 2",
        "SHOW TABLES",
        "DELETE FROM t",
        "SELECT @a := 1",
        "SELECT 1 FOR UPDATE",
        "SELECT 1)",
        "SELECT RAND() AS a",
        "SELECT ROW_COUNT() AS a",
        "SELECT /*+ BKA(t) MAX_EXECUTION_TIME(1000) */ a FROM t",
        "SELECT /*+ SET_VAR(sql_mode = '') */ a FROM t",
    ):
        assert Query.of(db, sql) is None, sql
    for column in ("CAST('01:00' AS TIME)", "CAST('0900-01-01' AS DATE)", "1e308"):
        query = Query.of(db, f"SELECT {column} AS a")
        assert query.count(layout_of(fields_of(query.schema()), PlotOptions("hist"))) is None, column


def test_too_many_texts_are_cut_and_told(db):
    db.execute("CREATE TEMPORARY TABLE many (a VARCHAR(20), b VARCHAR(20), n INT)")
    db.execute("INSERT INTO many SELECT CONCAT('t', seq), 'b', seq FROM seq_1_to_5100")
    db.execute("INSERT INTO many VALUES ('t7', 'b', 1), (NULL, 'b', 1)")
    fields = fields_of(Query.of(db, "SELECT * FROM many").schema())
    layout = layout_of(fields, PlotOptions("hist", x="a"))
    drawing = counts(Query.of(db, "SELECT * FROM many").count(layout), layout)
    assert (drawing.rows[0], len(drawing.rows)) == ({"x": "t7", "count": 2}, 50)
    assert drawing.notes == ["1 row with NULL in a", "other values of a than the 50 most frequent of more than 4,999"]
    boxed = Query.of(db, "SELECT * FROM many").quartiles(layout_of(fields, PlotOptions("box", x="a", y=("n",))))
    assert boxed.more
    with pytest.raises(OptionError, match="a and b have more than 5,000 pairs of values"):
        Query.of(db, "SELECT * FROM many").count(layout_of(fields, PlotOptions("heatmap", x="a", y=("b",))))


def test_a_wrong_query_is_left_to_fail_itself(db):
    assert Query.of(db, "SELECT a FROM nothing_there").schema() is None
    assert Query.of(db, "SELECT SQL_CALC_FOUND_ROWS 1 AS a").schema() is None
    layout = layout_of([Field("a", 0, "number")], PlotOptions("hist"))
    with pytest.raises(StatementError, match="nothing_there"):
        Query.of(db, "SELECT a FROM nothing_there").count(layout)


def test_a_comment_at_the_end_and_parameters(db):
    query = Query.of(db, "SELECT :n AS a -- that is all", {"n": 3})
    assert query.schema().names == ["a"]


class Moving:
    """A connection whose rows grow beyond the bins, so many times."""

    def __init__(self, db, grows):
        self._db = db
        self.left = grows

    def _statements(self, sql, params=None):
        return self._db._statements(sql, params)

    def run(self, sql, **options):
        if "MIN(" not in sql and "LIMIT 0" not in sql and self.left:
            self.left -= 1
            self._db.execute("UPDATE moving SET a = a * 1000")
        return self._db.run(sql, **options)


@pytest.mark.parametrize("grows", [0, 1, 2])
def test_rows_that_change_meanwhile_are_counted_again(db, grows):
    db.execute("CREATE TEMPORARY TABLE moving AS SELECT 1 AS a UNION SELECT 2")
    query = Query.of(Moving(db, grows), "SELECT a FROM moving")
    counted = query.count(layout_of(fields_of(query.schema()), PlotOptions("hist")))
    assert sum(counted.groups.values()) == 2
    assert counted.bounds == ((1000.0**grows, 2 * 1000.0**grows),)


def test_rows_that_always_change_are_given_up(db):
    db.execute("CREATE TEMPORARY TABLE moving AS SELECT 1 AS a")
    query = Query.of(Moving(db, 9), "SELECT a FROM moving")
    with pytest.raises(ResultError, match="changed while they were counted"):
        query.count(layout_of(fields_of(query.schema()), PlotOptions("hist")))
