"""Every type as polars has it; what it cannot hold is refused in our words, never by a panic of its own."""

import datetime as dt
from decimal import Decimal

import polars
import pytest

from rds_iam_magic.errors import ResultError

pytestmark = pytest.mark.slow  # servers and kernels

ALL = (
    "SELECT 1 AS i, CAST(2 AS UNSIGNED) AS u, 1.5e0 AS f, CAST('1.50' AS DECIMAL(10,2)) AS d, 'x' AS t, X'00ff' AS b, "
    "DATE '2024-01-02' AS day, TIMESTAMP '2024-01-02 03:04:05' AS m, CAST('-838:59:58.5' AS TIME(1)) AS c, "
    "NULL AS nothing, b'1' AS bits, CAST(NULL AS CHAR) AS s"
)


def polars_of(db, sql):
    (result,) = db.run(sql, decimal="exact")
    return result.to_polars()


@pytest.mark.parametrize("where", ["", " FROM DUAL WHERE 1 = 0"])
def test_every_type(db, where):
    frame = polars_of(db, ALL + where)
    assert frame.height == (0 if where else 1)
    if not where:
        row = frame.row(0, named=True)
        assert row["d"] == Decimal("1.50")
        assert row["day"] == dt.date(2024, 1, 2)
        assert row["c"] == -dt.timedelta(hours=838, minutes=59, seconds=58.5)
        assert row["nothing"] is None


def test_a_sum_is_narrowed_where_the_values_allow(db):
    frame = polars_of(db, "SELECT SUM(CAST(seq AS SIGNED)) AS s FROM seq_1_to_10")
    assert frame["s"].to_list() == [Decimal(55)]
    assert isinstance(frame["s"].dtype, polars.Decimal)


@pytest.mark.parametrize("expression", ["9" * 40, "CAST('0." + "1" * 30 + f"' AS DECIMAL(65,30)) * {'9' * 20}"])
def test_more_digits_than_polars_holds(db, capfd, expression):
    with pytest.raises(ResultError, match="more than 38 digits") as caught:
        polars_of(db, f"SELECT {expression} AS d")
    assert "CAST(`d` AS DECIMAL(38" in caught.value.hint
    assert capfd.readouterr().err == ""


def test_two_columns_of_one_name(db):
    with pytest.raises(ResultError, match="Two columns are named a"):
        polars_of(db, "SELECT 1 AS a, 2 AS a")
