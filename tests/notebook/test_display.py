"""What a count, a note and an error look like."""

import pickle

from rds_iam_magic.notebook.display import RowCount


def test_a_count_is_a_number():
    count = pickle.loads(pickle.dumps(RowCount(3, "OK, 3 rows")))
    assert (count, repr(count), count + 1) == (3, "OK, 3 rows", 4)
