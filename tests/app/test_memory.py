"""Memory that was freed goes back to the system."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from support.patience import deadline
from support.server import ROOT

from semantik.app import memory

pytestmark = pytest.mark.gen_test

_PIECE_BYTES = 100_000  # below what the C library takes from the system one by one
_PIECES = 600


async def test_memory_between_what_is_kept_is_returned() -> None:
    """In a process of its own: in that of other tests, the pieces go where memory was freed before."""
    code = f"import asyncio, {__name__}; asyncio.run({__name__}.main())"
    here = str(Path(__file__).parent)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/tests:{here}"}
    )
    async with deadline():
        assert await process.wait() == 0


async def main() -> None:
    memory._INTERVAL_S = 0.05  # type: ignore[misc]
    returning = asyncio.create_task(memory.return_freed_memory())
    await asyncio.sleep(0)
    before = memory.private_bytes()
    pieces = [bytes([number % 255 + 1]) * _PIECE_BYTES for number in range(_PIECES)]
    full = memory.private_bytes()
    assert full - before > _PIECES * _PIECE_BYTES // 2
    kept = pieces[::20]  # the heap cannot shrink below the last of them
    del pieces
    while full - memory.private_bytes() < _PIECES * _PIECE_BYTES // 2:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    returning.cancel()
    await asyncio.gather(returning, return_exceptions=True)
    assert all(len(piece) == _PIECE_BYTES for piece in kept)
