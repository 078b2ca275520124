"""Tools that take an engine or a connection do their work on ours: ibis, marimo, jupysql; and the page about them."""

import json
import re
from textwrap import dedent

import pytest

import rds_iam_magic
from tests.drivers.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.usefixtures("inside")]  # servers, an environment


@pytest.fixture
def run(tools, tmp_path):
    """Runs a script of such a text and returns the last JSON that it printed on a line of its own."""

    def run(text):
        script = tmp_path / "script.py"
        script.write_text(dedent(text), encoding="utf-8")
        return json.loads([line for line in tools(script).splitlines() if line[:1] in ("{", "[")][-1])

    return run


@pytest.fixture
def counts():
    """Orders by their status."""
    with rds_iam_magic.connect("sandbox", user="reader", database="shop") as db:
        frame = db.query("SELECT status, COUNT(*) AS n FROM orders GROUP BY status")
    return dict(zip(frame["status"], frame["n"].tolist(), strict=True))


def test_ibis(run, counts):
    found = run("""
        import json, warnings
        import pymysql
        pymysql.install_as_MySQLdb()
        import ibis
        import rds_iam_magic

        db = ibis.mysql.from_connection(rds_iam_magic.pymysql_connect("sandbox", user="reader", database="shop"))
        orders = db.table("orders")
        by_status = orders.group_by("status").agg(n=orders.count()).to_pyarrow().to_pylist()
        sql = db.sql("SELECT status, COUNT(*) AS n, MAX(id) AS last, SUM(id) AS total FROM orders GROUP BY status")
        try:
            db.table("nowhere")
        except ibis.common.exceptions.TableNotFound as error:
            missing = str(error)
        print(json.dumps({
            "tables": db.list_tables(), "version": db.version, "missing": missing,
            "schema": {name: str(kind) for name, kind in orders.schema().items()},
            "by_status": by_status, "sql": sql.order_by("status").select("status", "n").to_pandas().values.tolist(),
            "types": [str(kind) for kind in sql.schema().types][1:],
        }))
        db.disconnect()
    """)
    assert found["tables"] == ["customers", "order_lines", "orders", "products"]
    assert re.fullmatch(r"1\d\.\d+\.\d+", found["version"])
    assert found["schema"]["shipped_on"] == "date"
    assert {row["status"]: row["n"] for row in found["by_status"]} == counts
    assert dict(found["sql"]) == counts
    assert found["types"] == ["int64", "uint32", "decimal(32, 0)"]
    assert found["missing"] == "nowhere"


def test_a_marimo_notebook(run, counts):
    """As a script, which `marimo edit` and `marimo run` take too."""
    found = run("""
        import marimo

        app = marimo.App()

        @app.cell
        def _():
            import json
            import marimo as mo
            import rds_iam_magic

            engine = rds_iam_magic.sqlalchemy_engine("sandbox", user="reader", database="shop")
            return engine, json, mo

        @app.cell
        def _(engine, mo):
            by_status = mo.sql(
                f\"\"\"
                SELECT status, COUNT(*) AS n FROM orders WHERE status LIKE '%' GROUP BY status
                \"\"\",
                engine=engine,
            )
            return (by_status,)

        @app.cell
        def _(by_status, json):
            # A frame of polars where that is installed, else of pandas.
            print(json.dumps({status: int(n) for status, n in zip(by_status["status"], by_status["n"])}))
            return

        if __name__ == "__main__":
            app.run()
    """)
    assert found == counts


def test_jupysql(run, counts):
    found = run("""
        import json
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        config = Config()
        config.HistoryManager.enabled = False
        shell = InteractiveShell.instance(config=config)

        def cell(text):
            done = shell.run_cell(text)
            done.raise_error()
            return done.result

        cell("import rds_iam_magic")
        cell("engine = rds_iam_magic.sqlalchemy_engine('sandbox', user='reader', database='shop')")
        cell("%load_ext sql")
        cell("%sql engine --alias shop")
        cell("%config SqlMagic.autopandas = True")
        frame = cell("%%sql\\nSELECT status, COUNT(*) AS n\\nFROM orders GROUP BY status")
        tables = cell("%sqlcmd tables")
        print()  # jupysql's table ends without a line end
        print(json.dumps({"rows": frame.values.tolist(), "tables": str(tables)}))
    """)
    assert dict(found["rows"]) == counts
    assert "order_lines" in found["tables"]


RUNNER = """
    import re, sys
    from pathlib import Path
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.run_cell("%load_ext rds_iam_magic")
    cells = re.findall(r"^```python\\n(.*?)^```", Path(sys.argv[1]).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    for text in cells:
        for theirs, ours in {"my-cluster": "sandbox", "analyst": "tester", "sales": "scratch"}.items():
            text = text.replace(theirs, ours)
        done = shell.run_cell(text)
        done.raise_error()
    print(len(cells), "cells")
    shell.run_cell("%unload_ext rds_iam_magic")
"""


def sections_of_the_page():
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    _, *pieces = re.split(r"^## (.*)\n", page, flags=re.MULTILINE)
    sections = zip(pieces[::2], pieces[1::2], strict=True)
    return [pytest.param(text, id=title) for title, text in sections if "```python" in text]


@pytest.mark.parametrize("text", sections_of_the_page())
def test_a_section_of_the_page(tools, tmp_path, scratch, sandbox, text):
    """Its cells run, one after the other, as they stand there."""
    assert scratch
    with sandbox.server.root() as root:
        root.execute(
            "CREATE OR REPLACE TABLE scratch.orders AS SELECT id, customer_id, 10.5 * (id % 200) AS amount "
            "FROM shop.orders LIMIT 1000"
        )
    script, section = tmp_path / "runner.py", tmp_path / "section.md"
    script.write_text(dedent(RUNNER), encoding="utf-8")
    section.write_text(text, encoding="utf-8")
    try:
        assert re.search(r"^[1-9] cells$", tools(script, str(section)), re.MULTILINE)
    finally:
        with sandbox.server.root() as root:
            root.execute("DROP TABLE IF EXISTS scratch.orders, scratch.targets, scratch.limits")
