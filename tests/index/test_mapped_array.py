"""A mapped file that is removed: whoever reads it goes on, and nothing of it stays when the last has gone."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from support.patience import patience
from test_vector_index import DIMENSION, clustered, indexes, until

from semantik.index import IndexRegistry, VectorIndex
from semantik.index.files.durable import Damaged
from semantik.index.files.mapped_array import MappedArray

_BYTES = np.dtype(np.uint8)


def holds(path: Path) -> bool:
    """Whether this process still has a removed file, mapped or open."""
    name = f"{path} (deleted)"
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one by which the folder is read
            if str(one.readlink()) == name:
                return True
    return name in Path("/proc/self/maps").read_text()


def test_who_reads_a_removed_file_goes_on_and_then_it_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    content = np.random.default_rng(1).integers(0, 256, 20 << 20, np.uint8)
    path.write_bytes(content.tobytes())
    mapped = MappedArray(path)
    array = mapped.array(_BYTES)[:-1]
    mapped.release()
    path.unlink()
    del mapped
    assert np.array_equal(array, content[:-1])
    assert holds(path)
    del array
    deadline = time.monotonic() + patience()
    while holds(path):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_file_that_has_gone_already_can_be_let_go(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(b"abc")
    mapped = MappedArray(path)
    path.unlink()
    mapped.release()
    assert mapped.array(_BYTES).tobytes() == b"abc"


def test_where_no_descriptor_is_left_it_only_takes_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    path = tmp_path / "vectors"
    path.write_bytes(b"abc")
    mapped = MappedArray(path)
    monkeypatch.setattr(os, "open", refused)
    mapped.release()
    path.unlink()
    assert mapped.array(_BYTES).tobytes() == b"abc"
    del mapped
    assert not holds(path)


def test_where_no_thread_can_be_started_the_file_goes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    path = tmp_path / "vectors"
    path.write_bytes(b"abc")
    mapped = MappedArray(path)
    mapped.release()
    path.unlink()
    monkeypatch.setattr(threading.Thread, "start", refused)
    assert holds(path)
    del mapped
    assert not holds(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="cannot be read"):
        MappedArray(tmp_path / "vectors")


def test_a_dropped_index_leaves_memory_and_disk_at_once(tmp_path: Path) -> None:
    """Without waiting for the collector, which on a quiet server may come hours later."""

    async def filled(opened: IndexRegistry) -> weakref.ref[VectorIndex]:
        index = await opened.open("c", 0, DIMENSION)
        await index.add(np.arange(3000), clustered(3000))
        await until(lambda: index.stats().segments > 0)
        return weakref.ref(index)

    async def test() -> None:
        async with indexes(tmp_path) as opened:
            index = await filled(opened)
            await opened.drop("c")
            await until(lambda: index() is None)
            await until(lambda: str(tmp_path) not in Path("/proc/self/maps").read_text())

    gc.disable()
    try:
        asyncio.run(test())
    finally:
        gc.enable()
