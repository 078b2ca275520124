"""What a cell tells beside its results: a line after each statement, where it stands, and the notes that go with it."""

import re

import pytest

from tests.notebook.test_kernel import outputs_of

pytestmark = pytest.mark.slow  # servers and kernels

TIME = r"(\d+ ms|\d+\.\d s)"
CUT = "Note: the result was cut at the limit of 7 rows; there are more."


def test_a_line_before_the_result_and_on_assignment(connected):
    line = rf"96,381 rows × 6 · {TIME} · sandbox\n"
    assert re.fullmatch(line, connected.ok("%rds_sql lines << SELECT * FROM order_lines").output)
    cell = connected.ok("%rds_sql SELECT 41 AS a, 42 AS b")
    assert re.match(rf"1 row × 2 · {TIME} · sandbox\n", cell.output)
    assert cell.value.shape == (1, 2)


@pytest.mark.parametrize("kind", ["arrow", "polars"])
def test_the_line_of_another_type(connected, kind):
    done = connected.ok(f"%%rds_sql few << --type {kind}\nSELECT 1 AS a, 2 AS b UNION SELECT 3, 4")
    assert re.fullmatch(rf"2 rows × 2 · {TIME} · sandbox\n", done.output)


def test_notes_follow_their_line(connected):
    sql = "SELECT 41 AS a; SELECT id FROM orders; SELECT 42 AS b"
    shown = connected.ok(f"%%rds_sql x << --limit 7\n{sql}").output.splitlines()
    assert [line for line in shown if line.startswith(("Statement", "Note"))][1].startswith("Statement 2: 7 rows × 1 ·")
    assert shown[shown.index(CUT) - 1].startswith("Statement 2: 7 rows × 1 ·")
    assert shown[-1].startswith("Statement 3: 1 row × 1 ·")


def test_a_call_tells_of_each_result(tester):
    shown = tester.ok("%rds_sql x << CALL two()").output.splitlines()
    assert [bool(re.fullmatch(rf"1 row × 1 · {TIME} · sandbox", line)) for line in (shown[0], shown[-1])] == [
        True,
        True,
    ]
    assert "41" in "".join(shown[1:-1])
    assert "2 rows changed ·" in tester.ok("%rds_sql CALL mixed()").output
    assert tester.ok("%rds_sql x << CALL none()").output.startswith("2 rows changed ·")


def test_quiet_and_level_0_tell_notes_only(connected):
    cut = "SELECT id FROM orders"
    assert connected.ok(f"%%rds_sql x << -q --limit 7\n{cut}").output == f"{CUT}\n"
    connected.ok("%config RdsIamMagics.feedback = 0")
    assert connected.ok(f"%%rds_sql x << --limit 7\n{cut}").output == f"{CUT}\n"
    assert connected.ok("%%rds_sql x <<\nSET @a = 1; SELECT 1 AS a").output == ""
    connected.ok("%config RdsIamMagics.feedback = 1")
    assert connected.ok("%rds_sql x << SELECT 1 AS a").output.startswith("1 row × 1 ·")


def test_a_level_that_is_none_is_refused(connected, caplog):
    connected.ok("%config RdsIamMagics.feedback = 3")
    assert "should not be greater than 2" in caplog.text  # IPython logs it, without a traceback
    assert connected.ip._rds_iam_magics.feedback == 2


def test_notes_before_a_failure_are_told(connected):
    """The statement that warned has run; the next one fails."""
    cell = connected("%rds_sql SELECT CAST('x' AS SIGNED) AS a; SELEC 1")
    assert cell.output.index("Statement 1: 1 row") < cell.output.index("Note: the server reported 1 warning")
    assert cell.output.index("Note: the server") < cell.output.index("StatementError")


def test_a_file(connected, tmp_path):
    path = tmp_path / "orders.parquet"
    line = rf"50,000 rows written to {path} \(\d+ [kM]B\) · {TIME} · sandbox\n"
    assert re.fullmatch(line, connected.ok(f"%%rds_sql --to {path}\nSELECT * FROM orders").output)
    assert connected.ok(f"%%rds_sql -q --to {path} --overwrite\nSELECT 1 AS a").output == ""


def test_parts(connected):
    done = connected.ok("%%rds_sql x << --parallel 2\nSELECT id FROM orders")
    assert re.fullmatch(rf"50,000 rows × 1 · {TIME} · sandbox\n", done.output)


def test_the_users_own_notify_is_left_to_him(connected):
    notes = []
    connected.ip._rds_iam_magics.connections["sandbox"].notify = notes.append
    assert "Note" not in connected.ok("%%rds_sql x << --limit 7\nSELECT id FROM orders").output
    assert len(notes) == 1


@pytest.mark.usefixtures("scratch")
def test_a_kernel_shows_a_count_once(kernel):
    _, client = kernel
    outputs_of(client, "%load_ext rds_iam_magic\n%rds_iam_connect sandbox -u tester -d scratch")
    outputs_of(client, "%rds_sql -q CREATE TEMPORARY TABLE few (a INT)")
    insert = "%rds_sql INSERT INTO few VALUES (1), (2), (3)"
    assert re.fullmatch(rf"3 rows changed · {TIME} · sandbox", outputs_of(client, insert))
    assert outputs_of(client, "_") == "3 rows changed"
    outputs_of(client, f"kept = {insert}")
    assert outputs_of(client, "kept") == "3 rows changed"
    outputs_of(client, "%config RdsIamMagics.feedback = 0")
    assert outputs_of(client, insert) == "3 rows changed"
