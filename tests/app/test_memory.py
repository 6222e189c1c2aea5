"""Memory that was freed goes back to the system."""

from __future__ import annotations

import asyncio

import pytest
from support.patience import deadline

from semantik.app import memory

pytestmark = pytest.mark.gen_test

_PIECE_BYTES = 100_000  # below what the C library takes from the system one by one
_PIECES = 600


async def test_memory_between_what_is_kept_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_INTERVAL_S", 0.05)
    returning = asyncio.create_task(memory.return_freed_memory())
    await asyncio.sleep(0)
    before = memory.private_bytes()
    pieces = [bytes([number % 255 + 1]) * _PIECE_BYTES for number in range(_PIECES)]
    full = memory.private_bytes()
    assert full - before > _PIECES * _PIECE_BYTES // 2
    kept = pieces[::20]  # the heap cannot shrink below the last of them
    del pieces
    async with deadline():
        while full - memory.private_bytes() < _PIECES * _PIECE_BYTES // 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    returning.cancel()
    await asyncio.gather(returning, return_exceptions=True)
    assert all(len(piece) == _PIECE_BYTES for piece in kept)
