"""What a cell shows for what gives no rows: a count where there is something to count, `OK` where not."""

import pickle

from rds_iam_magic.notebook.showing.display import RowCount


def test_a_count_is_a_number():
    count = pickle.loads(pickle.dumps(RowCount(3, "OK, 3 rows")))
    assert (count, repr(count), count + 1) == (3, "OK, 3 rows", 4)


COUNTS = [
    ("USE scratch", "OK"),
    ("SET @a = 1", "OK"),
    ("COMMIT", "OK"),
    ("BEGIN", "OK"),
    ("ROLLBACK", "OK"),
    ("DO 1", "OK"),
    ("/* why */ SET @a = 1", "OK"),
    ("CREATE OR REPLACE TABLE counted (a INT)", "OK"),
    ("CREATE OR REPLACE TABLE counted AS SELECT 1 AS a UNION SELECT 2", "2 rows changed"),
    ("ALTER TABLE counted ADD COLUMN b INT", "OK"),
    ("INSERT INTO counted (a) VALUES (3)", "1 row changed"),
    ("UPDATE counted SET b = 1 WHERE a = 99", "0 rows changed"),
    ("REPLACE INTO counted (a) VALUES (3), (4)", "2 rows changed"),
    ("DELETE FROM counted WHERE a = 99", "0 rows changed"),
    ("SELECT a FROM counted LIMIT 1 INTO @x", "OK, 1 row"),
    ("TRUNCATE counted", "OK"),
    ("DROP TABLE counted", "OK"),
]


def test_ok_where_there_is_nothing_to_count(tester):
    shown = [(sql, repr(tester.ok(f"%rds_sql {sql}").value)) for sql, _ in COUNTS]
    assert shown == COUNTS
    cell = tester.ok("%rds_sql USE scratch; SET @a = 1; UPDATE flow SET a = 5; SELECT 1 AS a")
    told = [line.partition(" · ")[0] for line in cell.output.splitlines()[:3]]
    assert told == ["Statement 1: OK", "Statement 2: OK", "Statement 3: 2 rows changed"]
