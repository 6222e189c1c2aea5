"""A removed mapped file: readers continue, and memory and disk are freed after the last reader."""

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
from test_vector_index import DIMENSION, clustered_vectors, open_registry, until

from semantik.index import IndexRegistry, VectorIndex
from semantik.index.files.durable import Damaged
from semantik.index.files.mapped_array import MappedArray

_BYTES = np.dtype(np.uint8)


def is_mapped_or_open(path: Path) -> bool:
    """Whether this process still has the removed file mapped or open."""
    name = f"{path} (deleted)"
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the descriptor of the folder itself
            if str(link.readlink()) == name:
                return True
    return name in Path("/proc/self/maps").read_text()


def test_readers_of_a_removed_file_continue_until_it_is_freed(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    content = np.random.default_rng(1).integers(0, 256, 20 << 20, np.uint8)
    path.write_bytes(content.tobytes())
    mapped = MappedArray(path)
    array = mapped.array(_BYTES)[:-1]
    mapped.release()
    path.unlink()
    del mapped
    assert np.array_equal(array, content[:-1])
    assert is_mapped_or_open(path)
    del array
    deadline = time.monotonic() + patience()
    while is_mapped_or_open(path):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_missing_file_can_be_released(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(b"abc")
    mapped = MappedArray(path)
    path.unlink()
    mapped.release()
    assert mapped.array(_BYTES).tobytes() == b"abc"


def test_without_descriptors_the_file_is_freed_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    path = tmp_path / "vectors"
    path.write_bytes(b"abc")
    mapped = MappedArray(path)
    monkeypatch.setattr(os, "open", fail)
    mapped.release()
    path.unlink()
    assert mapped.array(_BYTES).tobytes() == b"abc"
    del mapped
    assert not is_mapped_or_open(path)


def test_without_threads_the_file_is_still_freed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    path = tmp_path / "vectors"
    path.write_bytes(b"abc")
    mapped = MappedArray(path)
    mapped.release()
    path.unlink()
    monkeypatch.setattr(threading.Thread, "start", fail)
    assert is_mapped_or_open(path)
    del mapped
    assert not is_mapped_or_open(path)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="cannot be read"):
        MappedArray(tmp_path / "vectors")


def test_a_dropped_index_is_freed_at_once(tmp_path: Path) -> None:
    """Without the garbage collector, which on an idle server may run hours later."""

    async def filled(registry: IndexRegistry) -> weakref.ref[VectorIndex]:
        index = await registry.open("c", 0, DIMENSION)
        await index.add(np.arange(3000), clustered_vectors(3000))
        await until(lambda: index.stats().segments > 0)
        return weakref.ref(index)

    async def test() -> None:
        async with open_registry(tmp_path) as registry:
            index = await filled(registry)
            await registry.drop("c")
            await until(lambda: index() is None)
            await until(lambda: str(tmp_path) not in Path("/proc/self/maps").read_text())

    gc.disable()
    try:
        asyncio.run(test())
    finally:
        gc.enable()
