"""Memory that was freed goes back to the system."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.patience import deadline
from support.server import ROOT

from semantik.app import memory

pytestmark = pytest.mark.gen_test

_PIECE_BYTES = 100_000  # below what the C library takes from the system one by one
_PIECES = 600
_THREADS = 12


async def test_memory_between_what_is_kept_is_returned() -> None:
    """In a process of its own: in that of other tests, the pieces go where memory was freed before."""
    await run_in_a_process("main")


async def test_many_threads_share_two_arenas() -> None:
    """As the server sets it, before any thread is started."""
    await run_in_a_process("share")


async def run_in_a_process(name: str) -> None:
    code = f"import asyncio, {__name__}; asyncio.run({__name__}.{name}())"
    here = str(Path(__file__).parent)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/tests:{here}"}
    )
    async with deadline():
        assert await process.wait() == 0


async def share() -> None:
    memory.share_arenas()
    barrier = threading.Barrier(_THREADS)

    def allocate() -> int:
        barrier.wait()  # all are there at once: an arena without a thread is used again
        kept = [bytes(size) for size in range(600, 60_000, 600)]  # larger than what Python keeps itself
        barrier.wait()
        return len(kept)

    with ThreadPoolExecutor(_THREADS) as threads:
        found = [threads.submit(allocate) for _ in range(_THREADS)]
        assert all(each.result() > 0 for each in found)
        assert arenas() <= 2


def arenas() -> int:
    libc = ctypes.CDLL(None)
    libc.fdopen.restype = ctypes.c_void_p
    with tempfile.TemporaryFile() as file:
        stream = ctypes.c_void_p(libc.fdopen(os.dup(file.fileno()), b"w"))
        assert libc.malloc_info(0, stream) == 0
        libc.fclose(stream)
        file.seek(0)
        return file.read().count(b"<heap nr=")


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
