"""A mapped file that is removed: whoever reads it goes on, and nothing of it stays when the last has gone."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from semantik.index.durable import Damaged
from semantik.index.maps import Map

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
    mapped = Map(path)
    array = mapped.array(_BYTES)[:-1]
    mapped.let_go()
    path.unlink()
    del mapped
    assert np.array_equal(array, content[:-1])
    assert holds(path)
    del array
    until = time.monotonic() + 10
    while holds(path):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_file_that_has_gone_already_can_be_let_go(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(b"abc")
    mapped = Map(path)
    path.unlink()
    mapped.let_go()
    assert mapped.array(_BYTES).tobytes() == b"abc"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="cannot be read"):
        Map(tmp_path / "vectors")
