"""A keyword index after damage, and after a crash at any step: what it has is right, and the rest is added again."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.keyword_registry import add, found, keyword_registry, open_keywords

from semantik.core.errors import Unavailable
from semantik.index.keyword.folder import MARKER, TOMBSTONES
from semantik.index.keyword.inspection import stored_words
from semantik.index.keyword.state import load_state
from semantik.index.keyword.texts import KeywordText, analyse

pytestmark = pytest.mark.gen_test


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)


def largest(folder: Path, suffix: str) -> Path:
    return max(folder.glob(f"*.{suffix}"), key=lambda path: path.stat().st_size)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "postings": lambda folder: flip(largest(folder, "idx")),
    "positions": lambda folder: flip(largest(folder, "pos")),
    "words": lambda folder: flip(largest(folder, "term")),
    "seqs": lambda folder: flip(largest(folder, "fast")),
    "missing": lambda folder: largest(folder, "idx").unlink(),
    "short": lambda folder: os.truncate(largest(folder, "idx"), 10),
    "no meta": lambda folder: (folder / "meta.json").unlink(),
    "bad meta": lambda folder: (folder / "meta.json").write_text("{"),
    "other meta": lambda folder: (folder / "meta.json").write_text('{"segments": [1]}'),
    "no marker": lambda folder: (folder / MARKER).unlink(),
    "other format": lambda folder: (folder / MARKER).write_text('{"format": -1}'),
    "bad marker": lambda folder: (folder / MARKER).write_text("\xff"),
    "tombstones": lambda folder: flip(folder / TOMBSTONES),
    "no tombstones": lambda folder: (folder / TOMBSTONES).unlink(),
}


@pytest.mark.noisy
@pytest.mark.parametrize("name", DAMAGES)
async def test_a_damaged_index_is_made_anew(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_keywords(tmp_path) as index:
        await add(index, *(f"red kite over the harbour {n}" for n in range(300)))
        await index.delete([(5, 6), (1000, 1010), (2000, 2010)])
        assert len(await found(index, "kite", 500)) == 299
    DAMAGES[name](tmp_path / "c" / "1")
    async with open_keywords(tmp_path) as index:
        assert index.last_seq == -1 and index.size == 0
        await add(index, "blue kite")
        assert await found(index, "kite") == [0]
    warned = any(
        "will be built again" in each.message for each in caplog.records if each.levelname == "WARNING"
    )
    assert warned == (name != "no marker")
    async with open_keywords(tmp_path) as index:
        assert index.size == 1


@pytest.mark.noisy
async def test_a_folder_that_cannot_be_used_is_reported_and_used_when_it_can(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("a file where a folder must be")
    async with keyword_registry(tmp_path) as registry:
        with pytest.raises(Unavailable, match="cannot be opened"):
            await registry.open("c", 1, 384)
        (tmp_path / "c").unlink()
        await add(await registry.open("c", 1, 384), "red kite")


STEPS = ["keyword-created", "keyword-commit", "keyword-committed", "tombstones-written", "tombstones-synced"]


@pytest.mark.parametrize("step", [*STEPS, "tombstones-created", "manifest-written", "manifest-renamed"])
def test_a_crash_at_any_step_loses_nothing_that_is_not_added_again(tmp_path: Path, step: str) -> None:
    """The first run dies at the step or never reaches it; then the caller does what it does after every start."""
    folder = tmp_path / "1"
    process = multiprocessing.get_context("fork").Process(target=_run, args=(folder, step))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    state = load_state(folder, [])
    _change(folder, state.last_seq)
    stored = stored_words(folder)
    assert stored is not None and stored.last_seq == 11
    assert stored.seqs.tolist() == [0, 1, 2, 6, 7, 8, 9, 11]


def _run(folder: Path, step: str) -> None:
    os.environ["SEMANTIK_INDEX_FAILPOINT"] = step
    _change(folder, -1)


def _change(folder: Path, last: int) -> None:
    """Two rounds of additions and deletions; those of seqs that are not there yet, too."""
    state = load_state(folder, [])
    for first, end, deleted in ((0, 8, [(3, 6), (10, 11)]), (8, 12, [(3, 6), (10, 11), (20, 21)])):
        seqs = np.arange(first, end)
        state.add(seqs, analyse([KeywordText(f"kite {seq}") for seq in seqs.tolist()]))
        state.delete(deleted)
        state.commit()
    state.close_files()
