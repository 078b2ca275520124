"""Tasks → a `dask.dataframe.DataFrame`; dask is imported when it is first used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rds_iam_magic.errors import OptionError
from rds_iam_magic.parallel.partition import Partition

if TYPE_CHECKING:
    import pandas as pd


def require_dask() -> None:
    """Refuse to go on without dask.

    Raises:
        OptionError: dask is not installed.
    """
    try:
        import dask.dataframe  # noqa: F401 - fails before anything runs, if it is missing
    except ImportError:
        raise OptionError("dask is not installed.", cause="dask-missing") from None


def to_dask(partitions: Sequence[Partition]) -> Any:
    """A `dask.dataframe.DataFrame` of tasks; its declared dtypes are those of the query, so nothing is read for them.

    Args:
        partitions: At least one, all of one query.
    """
    import dask
    import dask.dataframe

    frames: Any = dask.dataframe  # its from_map has no types
    # dask would make strings of another dtype of all texts, and of bytes too.
    with dask.config.set({"dataframe.convert-string": False}):
        return frames.from_map(read, list(partitions), meta=partitions[0].empty(), enforce_metadata=True)


def read(partition: Partition) -> pd.DataFrame:
    """What a worker runs for one partition."""
    return partition.read()
