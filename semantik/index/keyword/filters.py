"""Ranges of seqs as tantivy queries that give no score. Pure; runs in threads."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from tantivy import FieldType, Occur, Query

from semantik.index import ranges
from semantik.index.keyword.schema import BLOCK, BLOCK_BITS, SCHEMA, SEQ
from semantik.index.ranges import Ranges

# From this length on, a range is cheaper as a range than as a set of seqs.
_LONG_RANGE = 4096
_SET_SIZE = 16_384
_FEW_SEQS = 2048


def within(allowed: Ranges) -> Query:
    """Exactly the seqs of sorted disjoint ranges, each of them looked up as a range. For few ranges."""
    return _unscored(_range(start, end) for start, end in allowed.tolist())


def one_of(seqs: Iterable[int]) -> Query:
    """Exactly these seqs, which are not negative."""
    seqs = list(seqs)
    if len(seqs) <= _FEW_SEQS:  # a set is found by a walk through the whole dictionary of seqs
        return _unscored(Query.term_query(SCHEMA, SEQ, each) for each in seqs)
    return Query.const_score_query(Query.term_set_query(SCHEMA, SEQ, list(seqs)), 0.0)


def near(allowed: Ranges) -> Query:
    """The seqs of the ranges and some next to them: for many ranges."""
    rounding_up = np.array([0, (1 << BLOCK_BITS) - 1])
    blocks = ranges.expand(ranges.union((allowed + rounding_up) >> BLOCK_BITS))
    return Query.const_score_query(Query.term_set_query(SCHEMA, BLOCK, blocks.tolist()), 0.0)


def exactly(seqs: Ranges) -> list[Query]:
    """Queries that together match exactly the seqs of sorted disjoint ranges, none of which matches many by a list."""
    seqs = ranges.intersection(seqs, np.array([[0, np.iinfo(np.int64).max]]))
    is_long = seqs[:, 1] - seqs[:, 0] >= _LONG_RANGE
    found = [_range(start, end) for start, end in seqs[is_long].tolist()]
    short = ranges.expand(seqs[~is_long])
    return found + [one_of(short[at : at + _SET_SIZE].tolist()) for at in range(0, len(short), _SET_SIZE)]


def _range(start: int, end: int) -> Query:
    return Query.range_query(
        SCHEMA, SEQ, FieldType.Unsigned, max(start, 0), max(end, 0), include_lower=True, include_upper=False
    )


def _unscored(queries: Iterable[Query]) -> Query:
    any_of = Query.boolean_query([(Occur.Should, each) for each in queries])
    return Query.const_score_query(any_of, 0.0)
