"""On each default dtype, with and without NULL, what analysts do works and is right."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow  # servers and kernels

mpl.use("Agg")

NUMBERS = {
    "int": "seq",
    "unsigned": "CAST(seq AS UNSIGNED)",
    "float": "seq * 0.5e0",
    "decimal": "CAST(seq * 0.25 AS DECIMAL(12,2))",
    "bit": "CAST(seq AS UNSIGNED) & 255",
}
FACTORS = {"int": 1, "unsigned": 1, "float": 0.5, "decimal": 0.25, "bit": 1}
OTHERS = {
    "text": "CONCAT('t', seq % 5)",
    "date": "DATE('2024-01-01') + INTERVAL seq DAY",
    "datetime": "TIMESTAMP('2024-01-01') + INTERVAL seq HOUR",
    "time": "SEC_TO_TIME(seq * 60)",
    "flag": "seq % 2 = 0",
}


@pytest.fixture(autouse=True)
def own_figures():
    """A Series is plotted into the figure that is open, whatever its axes are for."""
    plt.close("all")
    yield
    plt.close("all")


@pytest.fixture(params=[False, True], ids=["full", "with NULL"])
def nulls(request):
    return request.param


def column(db, expression, nulls):
    value = f"IF(seq % 10 = 0, NULL, {expression})" if nulls else expression
    return db.query(f"SELECT seq AS n, {value} AS v FROM seq_1_to_200")


def known(nulls):
    return [n for n in range(1, 201) if not (nulls and n % 10 == 0)]


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(db, name, nulls):
    values = column(db, NUMBERS[name], nulls)["v"]
    expected = np.array(known(nulls)) * FACTORS[name]
    # Before cumsum, which puts zeros under the mask of pandas' nullable columns.
    assert np.log(values).dropna().astype("float64").to_numpy() == pytest.approx(np.log(expected))
    assert values.mean() == pytest.approx(expected.mean())
    assert values.describe()["max"] == expected.max()
    assert values.describe()["count"] == len(expected)
    assert values.cumsum().dropna().iloc[-1] == expected.sum()
    assert np.log(values.astype("float64")).dropna().to_numpy() == pytest.approx(np.log(expected))
    assert values.quantile(0.5) == pytest.approx(np.median(expected))
    assert (values * 2).sum() == pytest.approx(2 * expected.sum())
    assert values.hist() is not None
    assert values.plot() is not None


@pytest.mark.parametrize("name", [*NUMBERS, *OTHERS])
def test_tables(db, name, nulls, tmp_path):
    frame = column(db, (NUMBERS | OTHERS)[name], nulls)
    assert len(frame.describe()) > 0
    groups = frame.groupby("v")["n"].count()
    assert groups.sum() == len(known(nulls))
    merged = frame.dropna().merge(frame.dropna(), on="v")
    assert len(merged) >= len(known(nulls))
    assert frame.sort_values("v")["v"].notna().sum() == len(known(nulls))
    frame.to_parquet(tmp_path / "frame.parquet")
    back = pd.read_parquet(tmp_path / "frame.parquet")
    pd.testing.assert_frame_equal(back.astype(frame.dtypes), frame)  # Parquet has no seconds: dates come back as [ms]
    assert frame["v"].value_counts().sum() == len(known(nulls))


def test_time_series(db):
    frame = db.query("SELECT DATE('2024-01-01') + INTERVAL seq DAY AS day, seq * 1.5 AS amount FROM seq_0_to_364")
    monthly = frame.set_index("day")["amount"].resample("MS").sum()
    assert len(monthly) == 12
    assert monthly.sum() == sum(n * 1.5 for n in range(365))
    hourly = db.query("SELECT TIMESTAMP('2024-01-01') + INTERVAL seq HOUR AS at, seq AS n FROM seq_0_to_99")
    assert hourly.resample("D", on="at")["n"].count().tolist() == [24, 24, 24, 24, 4]
    assert frame.plot(x="day", y="amount") is not None


def test_durations_add_up(db):
    frame = db.query("SELECT TIME('838:59:59') AS t UNION ALL SELECT TIME('-00:00:01')")
    assert frame["t"].sum() == pd.Timedelta("838:59:58")
    assert (pd.Timestamp("2024-01-01") + frame["t"]).iloc[1] == pd.Timestamp("2023-12-31 23:59:59")


def test_text_methods(db):
    frame = db.query("SELECT 'Zoé' AS t UNION ALL SELECT NULL UNION ALL SELECT '東京'")
    assert frame["t"].str.len().tolist()[0] == 3
    assert frame["t"].str.upper().tolist()[2] == "東京"
    assert frame["t"].isna().tolist() == [False, True, False]
