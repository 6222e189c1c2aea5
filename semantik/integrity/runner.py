"""The whole look, and the mending of what it finds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from semantik.integrity.chunk_checks import chunk_checks
from semantik.integrity.collection_checks import collection_checks
from semantik.integrity.index_checks import abandoned_folders, index_checks
from semantik.integrity.issue import Check, CheckContext, Issue
from semantik.integrity.ownership_checks import ownership_checks
from semantik.integrity.stream_checks import stream_checks

_AGAIN_S = 1.0

# Things that nobody owns: the others can't be without somebody who missed them.
LEFTOVERS: tuple[Check, ...] = (ownership_checks, abandoned_folders, stream_checks)
CHECKS: tuple[Check, ...] = (collection_checks, chunk_checks, *LEFTOVERS, index_checks)


async def check(grounds: CheckContext, checks: Sequence[Check] = CHECKS) -> list[Issue]:
    """What does not fit. What is found is looked at once more a second later: in between a server may have gone on, and
    what was half-done then is done. Raises Unavailable when a store is away."""
    first = await _check_once(grounds, checks)
    if not first:
        return []
    await asyncio.sleep(_AGAIN_S)
    seen = set(first)
    return [finding for finding in await _check_once(grounds, checks) if finding in seen]


async def _check_once(grounds: CheckContext, checks: Sequence[Check]) -> list[Issue]:
    return [finding for check in checks async for finding in check(grounds)]


async def repair(findings: Sequence[Issue]) -> list[Issue]:
    """Do what can be done about them, one after the other; returns those about which something was done."""
    mended = []
    for finding in findings:
        if finding.repair is not None:
            await finding.repair()
            mended.append(finding)
    return mended
