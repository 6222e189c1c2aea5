"""What `python -m bench compare` measures of two builds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.index_comparison import compare_indexing
from bench.large_folder_comparison import compare_large_folders
from bench.pairs import Pair
from bench.results import Result
from bench.search_comparison import compare_searches
from bench.start_comparison import compare_starts

COMPARISONS: dict[str, Callable[[Path], list[Pair]]] = {
    "starting": compare_starts,
    "searching": compare_searches,
    "indexing": compare_indexing,
    "large_folders": compare_large_folders,
}
STANDARD = ("starting", "searching", "indexing")  # the others take more than half an hour
_LOSS = 0.05  # of what another build reaches; a larger one misses the target


def description(name: str) -> str:
    """What is compared under this name."""
    return sys.modules[COMPARISONS[name].__module__].__doc__ or ""


def compare(name: str, build: Path, revision: str) -> Iterator[Result]:
    """The results of one comparison with the build of a revision, which is in the folder `build`."""
    for pair in COMPARISONS[name](build):
        yield pair.result(revision, 1 + _LOSS if pair.better == "lower" else 1 - _LOSS)
