"""A view is evaluated again in each part: its definition is judged as the query is."""

import pytest

from rds_iam_magic.errors import OptionError


@pytest.fixture
def views(db):
    db.execute(
        "CREATE OR REPLACE TABLE base (id INT PRIMARY KEY, g INT, s VARCHAR(9)); "
        "INSERT INTO base SELECT seq, seq % 7, CONCAT('a', seq % 9) FROM seq_1_to_100; "
        "CREATE OR REPLACE VIEW plain AS SELECT * FROM base; "
        "CREATE OR REPLACE VIEW numbered AS SELECT *, ROW_NUMBER() OVER (ORDER BY g) AS n FROM base; "
        "CREATE OR REPLACE VIEW outermost AS SELECT * FROM numbered; "
        "CREATE OR REPLACE VIEW few AS SELECT * FROM base LIMIT 10; "
        "CREATE OR REPLACE VIEW aged AS SELECT id, UNIX_TIMESTAMP() - id AS age FROM base"
    )
    db._session.state = db._session.state.renewed()
    yield db
    db.execute("DROP VIEW plain, numbered, outermost, few, aged; DROP TABLE base")


@pytest.mark.parametrize(
    ("sql", "on", "cause"),
    [
        ("SELECT * FROM numbered", "n", "parts-unstable"),
        ("SELECT * FROM scratch.`outermost`", "id", "parts-unstable"),
        ("SELECT * FROM few", "id", "parts-limit"),
        ("SELECT * FROM aged", "age", "parts-key-unstable"),
    ],
)
def test_views_that_cannot_be_divided(views, sql, on, cause):
    with pytest.raises(OptionError) as caught:
        views.query(sql, parallel=3, on=on)
    assert caught.value.cause == cause
    assert caught.value.hint


def test_views_that_can(views):
    for sql, on in (
        ("SELECT * FROM plain", None),
        ("SELECT p.id, p.s FROM plain AS p", "s"),
        ("SELECT * FROM aged", "id"),
    ):
        assert sorted(views.query(sql, parallel=3, on=on)["id"]) == list(range(1, 101))


def test_from_another_schema(views):
    views.execute("USE information_schema")
    with pytest.raises(OptionError, match="The view few cannot be read in parts: LIMIT"):
        views.query("SELECT * FROM scratch.few", parallel=3, on="id")
    views.execute("USE scratch")
