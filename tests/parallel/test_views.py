"""A view is evaluated again in each part: its definition is judged as the query is."""

import pytest

from rds_iam_magic.errors import OptionError

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def views(db):
    db.execute(
        "CREATE OR REPLACE TABLE view_base (id INT PRIMARY KEY, g INT, s VARCHAR(9)); "
        "INSERT INTO view_base SELECT seq, seq % 7, CONCAT('a', seq % 9) FROM seq_1_to_100; "
        "CREATE OR REPLACE VIEW view_plain AS SELECT * FROM view_base; "
        "CREATE OR REPLACE VIEW view_numbered AS SELECT *, ROW_NUMBER() OVER (ORDER BY g) AS n FROM view_base; "
        "CREATE OR REPLACE VIEW view_outermost AS SELECT * FROM view_numbered; "
        "CREATE OR REPLACE VIEW view_of_few AS SELECT * FROM view_base LIMIT 10; "
        "CREATE OR REPLACE VIEW view_aged AS SELECT id, UNIX_TIMESTAMP() - id AS age FROM view_base"
    )
    db._session.state = db._session.state.renewed()
    yield db
    db.execute("DROP VIEW view_plain, view_numbered, view_outermost, view_of_few, view_aged; DROP TABLE view_base")


@pytest.mark.parametrize(
    ("sql", "on", "cause"),
    [
        ("SELECT * FROM view_numbered", "n", "parts-unstable"),
        ("SELECT * FROM scratch.`view_outermost`", "id", "parts-unstable"),
        ("SELECT * FROM view_of_few", "id", "parts-limit"),
        ("SELECT * FROM view_aged", "age", "parts-key-unstable"),
    ],
)
def test_views_that_cannot_be_divided(views, sql, on, cause):
    with pytest.raises(OptionError) as caught:
        views.query(sql, parallel=3, on=on)
    assert caught.value.cause == cause
    assert caught.value.hint


def test_views_that_can(views):
    for sql, on in (
        ("SELECT * FROM view_plain", None),
        ("SELECT p.id, p.s FROM view_plain AS p", "s"),
        ("SELECT * FROM view_aged", "id"),
    ):
        assert sorted(views.query(sql, parallel=3, on=on)["id"]) == list(range(1, 101))


def test_from_another_schema(views):
    views.execute("USE information_schema")
    with pytest.raises(OptionError, match="The view view_of_few cannot be read in parts: LIMIT"):
        views.query("SELECT * FROM scratch.view_of_few", parallel=3, on="id")
    views.execute("USE scratch")
