"""The whole look, and the mending of what it finds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from semantik.consistency.finding import Check, Finding, Grounds
from semantik.consistency.marks import marks
from semantik.consistency.ownership import ownership
from semantik.consistency.passages import passages
from semantik.consistency.segments import abandoned_folders, vectors
from semantik.consistency.streams import streams

_AGAIN_S = 1.0

# Things that nobody owns: the others can't be without somebody who missed them.
LEFTOVERS: tuple[Check, ...] = (ownership, abandoned_folders, streams)
CHECKS: tuple[Check, ...] = (marks, passages, *LEFTOVERS, vectors)


async def look(grounds: Grounds, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """What does not fit. What is found is looked at once more a second later: in between a server may have gone on, and
    what was half-done then is done. Raises Unavailable when a store is away."""
    first = await _once(grounds, checks)
    if not first:
        return []
    await asyncio.sleep(_AGAIN_S)
    seen = set(first)
    return [finding for finding in await _once(grounds, checks) if finding in seen]


async def _once(grounds: Grounds, checks: Sequence[Check]) -> list[Finding]:
    return [finding for check in checks async for finding in check(grounds)]


async def mend(findings: Sequence[Finding]) -> list[Finding]:
    """Do what can be done about them, one after the other; returns those about which something was done."""
    mended = []
    for finding in findings:
        if finding.mend is not None:
            await finding.mend()
            mended.append(finding)
    return mended
