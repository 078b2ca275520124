"""Values at the edges of what MySQL keeps, and past them."""

import pyarrow as pa
import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.ingest.checks import check_values
from rds_iam_magic.ingest.column import Column

FIRST, END = -719_162 * 86_400, 2_932_897 * 86_400  # 0001-01-01, 10000-01-01
MOST = 838 * 3600 + 59 * 60 + 59


def check(values, kind):
    check_values(Column("c", pa.array(values, pa.int64()).cast(kind), True, ""))


@pytest.mark.parametrize(
    ("good", "bad", "kind", "message"),
    [
        ([FIRST, END - 1, None], FIRST - 1, pa.timestamp("s"), "year"),
        ([END * 10**6 - 1], END * 10**6, pa.timestamp("us"), "year"),
        ([-(1 << 63) // 1000 * 1000 + 1000], 1, pa.timestamp("ns"), "nanoseconds"),
        ([1, (1 << 31) - 1], 0, pa.timestamp("s", "UTC"), "TIMESTAMP"),
        ([1], 1 << 31, pa.timestamp("s", "UTC"), "TIMESTAMP"),
        ([MOST, -MOST], MOST + 1, pa.duration("s"), "838:59:59"),
        ([-MOST * 10**6], -MOST * 10**6 - 1, pa.duration("us"), "838:59:59"),
        ([-1000, MOST * 10**9], -1, pa.duration("ns"), "nanoseconds"),
    ],
)
def test_times(good, bad, kind, message):
    check(good, kind)
    with pytest.raises(OptionError, match=f"Column c, row {len(good) + 1}: it .*{message}|its {message}"):
        check([*good, bad], kind)


def test_dates_and_floats():
    check_values(Column("c", pa.array([-719_162, 2_932_896, None], pa.int32()).cast(pa.date32()), True, ""))
    with pytest.raises(OptionError, match="row 1: its year"):
        check_values(Column("c", pa.array([2_932_897], pa.int32()).cast(pa.date32()), True, ""))
    for kind in (pa.float32(), pa.float64()):
        with pytest.raises(OptionError, match="row 3: it is infinite"):
            check_values(Column("c", pa.array([1, None, float("-inf")], kind), True, ""))
