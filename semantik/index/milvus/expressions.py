"""Names and filter expressions of Milvus. Pure.

A filter of many ranges is written as a list of seqs: a few dozen ranges that are joined by "or" are refused by some
versions, and a list is looked up faster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from semantik.core.errors import Invalid
from semantik.index import ranges
from semantik.index.folders import SAFE_NAME
from semantik.index.ranges import Ranges

LIST_SEQS = 8192
"""Seqs in one list at most: some 80 kB of text."""
_SHORT = 64  # a longer range is cheaper as a range


def collection_name(prefix: str, collection_id: str, generation: int) -> str:
    """Raises Invalid for an id that cannot be in a name."""
    if not SAFE_NAME.fullmatch(collection_id):
        raise Invalid(f"{collection_id!r} cannot name an index: only letters, digits, - and _ can.")
    return f"{prefix}__{collection_id.replace('-', '_')}__{generation}"


def parse_name(prefix: str, name: str) -> tuple[str, int] | None:
    """The collection's id with _ for -, and its generation, of a name that `collection_name` gave; else None."""
    head, _, tail = name.removeprefix(f"{prefix}__").rpartition("__")
    if not name.startswith(f"{prefix}__") or not head or not tail.isdecimal():
        return None
    return head, int(tail)


def in_range(start: int, end: int) -> str:
    """The seqs of a half-open range."""
    return f"seq >= {start} and seq < {end}"


def in_list(seqs: Sequence[int]) -> str:
    return f"seq in [{','.join(map(str, seqs))}]"


def parts(seqs: Ranges) -> Iterator[str]:
    """Expressions that together cover sorted disjoint ranges: each long range by itself, the short ones in lists."""
    lengths = seqs[:, 1] - seqs[:, 0]
    for start, end in seqs[lengths > _SHORT].tolist():
        yield in_range(start, end)
    yield from lists(seqs[lengths <= _SHORT])


def lists(seqs: Ranges) -> Iterator[str]:
    """The seqs of sorted disjoint ranges, in lists."""
    numbers = ranges.expand(seqs)
    for at in range(0, len(numbers), LIST_SEQS):
        yield in_list(numbers[at : at + LIST_SEQS].tolist())


def clipped(seqs: Ranges, last: int) -> Ranges:
    """The part of sorted disjoint ranges from 0 to `last`."""
    return ranges.intersection(seqs, np.array([(0, last + 1)], np.int64))
