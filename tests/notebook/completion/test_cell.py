"""Where the cursor is: `|` in the cell."""

import pytest

from rds_iam_magic.notebook.completion.cell import place_of


@pytest.mark.parametrize(
    ("cell", "magic", "text", "is_body"),
    [
        ("%%rds_sql -|\nSELECT 1", "%%rds_sql", " -", False),
        ("%%rds_sql\nSELECT |1", "%%rds_sql", "SELECT ", True),
        ("%%rds_sql\n|", "%%rds_sql", "", True),
        ("%%rds_sql prod df <<\n\nSELECT a,\n  b|", "%%rds_sql", "\nSELECT a,\n  b", True),
        ("\n  %%rds_sql\nSELECT |", "%%rds_sql", "SELECT ", True),
        ("%%time\n%%rds_sql\nSELECT |", "%%rds_sql", "SELECT ", True),
        ("%%rds_explain\nSELECT |", "%rds_explain", "SELECT ", True),
        ("x = 1\n%rds_sql SELECT |\ny = 2", "%%rds_sql", " SELECT ", False),
        ("df = %rds_sql SELECT |", "%%rds_sql", " SELECT ", False),
        ("a, b = %rds_tables |", "%rds_tables", " ", False),
        ("    %rds_iam_connect |", "%rds_iam_connect", " ", False),
        ("%rds_sql SELECT 1\n%rds_ddl |", "%rds_ddl", " ", False),
    ],
)
def test_in_a_magic(cell, magic, text, is_body):
    offset = cell.index("|")
    place = place_of(cell.replace("|", ""), offset)
    assert place is not None
    assert (place.grammar.magic, place.text[: place.at], place.is_body) == (magic, text, is_body)
    assert place.start + place.at == offset


@pytest.mark.parametrize(
    "cell",
    [
        "|",
        "os.|",
        "%rds_s|",
        "%%rds_sql|",
        "%%rds_|sql\nSELECT 1",
        "%rds_sql SELECT 1\nos.|",
        "os.|\n%rds_sql SELECT 1",
        "print('%rds_sql |')",
        "# %rds_sql |",
        "x == y; %rds_sql |",
        "%%rds_sqlx |",
        "%%bash\necho %rds |",
        "5 %rds_count|",
    ],
)
def test_outside(cell):
    assert place_of(cell.replace("|", ""), cell.index("|")) is None
