"""Runs the checks, and repairs the issues that they find."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from semantik.integrity.chunk_checks import chunk_checks
from semantik.integrity.collection_checks import collection_checks
from semantik.integrity.engine_checks import abandoned_in_engine, engine_checks
from semantik.integrity.index_checks import abandoned_folders, index_checks
from semantik.integrity.issue import Check, CheckContext, Issue
from semantik.integrity.ownership_checks import ownership_checks
from semantik.integrity.stream_checks import stream_checks

_CONFIRM_S = 1.0

# What has no owner, which the regular clean-up removes. The other checks are about data that somebody uses.
ORPHAN_CHECKS: tuple[Check, ...] = (ownership_checks, abandoned_folders, abandoned_in_engine, stream_checks)
CHECKS: tuple[Check, ...] = (collection_checks, chunk_checks, *ORPHAN_CHECKS, index_checks, engine_checks)


async def check(context: CheckContext, checks: Sequence[Check] = CHECKS) -> list[Issue]:
    """The issues that two rounds of checks, a second apart, both find.

    A server may run meanwhile: what is half-done in the first round is done in the second. Raises Unavailable when a
    store cannot be reached.
    """
    first = await _check_once(context, checks)
    if not first:
        return []
    await asyncio.sleep(_CONFIRM_S)
    seen = set(first)
    return [issue for issue in await _check_once(context, checks) if issue in seen]


async def _check_once(context: CheckContext, checks: Sequence[Check]) -> list[Issue]:
    return [issue for check in checks async for issue in check(context)]


async def repair(issues: Sequence[Issue]) -> list[Issue]:
    """Repair the issues that can be repaired, one after the other; returns those."""
    repaired = []
    for issue in issues:
        if issue.repair is not None:
            await issue.repair()
            repaired.append(issue)
    return repaired
