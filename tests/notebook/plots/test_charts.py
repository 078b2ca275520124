"""What a kernel gets: one bundle of Vega-Lite and text without HTML; the value stays a DataFrame, and is not shown."""

import base64
import importlib.util

import pytest

pytestmark = pytest.mark.slow  # servers and kernels

VEGALITE = "application/vnd.vegalite.v5+json"
CONNECT = "%load_ext rds_iam_magic\n%rds_iam_connect sandbox -u reader -d shop"
PRICES = "SELECT category, AVG(unit_price) AS price FROM products GROUP BY category"


def runner(kernel):
    """Runs cells on the shop; each gives the contents of its outputs."""
    _, client = kernel

    def run(code):
        outputs = []

        def hook(message):
            if message["msg_type"] != "status" and message["msg_type"] != "execute_input":
                outputs.append(message["content"])

        client.execute_interactive(code, timeout=60, output_hook=hook)
        return outputs

    run(CONNECT)
    return run


def charts(outputs):
    return [each["data"] for each in outputs if VEGALITE in each.get("data", {})]


def test_a_chart_is_one_output_and_the_value_another(kernel):
    run = runner(kernel)
    outputs = run(f"%rds_sql --plot {PRICES}")
    (data,) = charts(outputs)
    assert set(data) <= {VEGALITE, "text/plain", "image/png"}, "Lab would prefer HTML"
    assert data["text/plain"].startswith("Bar chart: price by category. 4 values from ")
    assert data[VEGALITE]["encoding"]["x"]["title"] == "category"
    if importlib.util.find_spec("vl_convert"):  # the extra `plot`
        assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert outputs[-1]["data"] is data, "the rows are not shown below it"
    assert "(4, 2)" in run("_.shape")[-1]["data"]["text/plain"], "but they are the cell's value"
    shown = run("Out[2]")[-1]["data"]
    assert "text/html" in shown, "later it is a DataFrame as any"


def test_what_is_not_drawn_is_told_in_a_note(kernel):
    run = runner(kernel)
    outputs = run("%rds_plot orders shipped_on")
    told = " ".join(each["data"]["text/plain"] for each in outputs if "text/html" in each.get("data", {}))
    assert "47,500 rows counted on the server" in told
    assert "Note: not drawn: 2,500 rows with NULL in shipped_on." in told
    (data,) = charts(outputs)
    assert sum(row["count"] for row in data[VEGALITE]["data"]["values"]) == 47_500
