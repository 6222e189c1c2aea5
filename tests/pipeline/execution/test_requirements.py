"""What the file system is asked before an operation starts: a disk that does not answer holds up nobody."""

from __future__ import annotations

import threading

import pytest
from support.patience import deadline

from pipeline.execution import requirements
from pipeline.execution.requirements import PathChecks, Unknown

pytestmark = pytest.mark.gen_test


async def test_a_disk_that_does_not_answer_is_asked_once_and_counts_as_unreadable_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers, asked = threading.Event(), []

    def hang() -> bool:
        asked.append(True)
        return answers.wait()

    monkeypatch.setattr(requirements, "_WAIT_S", 0.01)
    checks = PathChecks()
    try:
        for _ in range(3):
            with pytest.raises(Unknown):
                await checks.ask("/mnt/far", hang)
        assert await checks.ask("/srv/near", lambda: True)
        monkeypatch.setattr(requirements, "_DEADLINE_S", 0.0)
        assert not await checks.ask("/mnt/far", hang)
    finally:
        answers.set()
    async with deadline():
        while not await checks.ask("/mnt/far", hang):
            pass
    assert len(asked) == 1


async def test_only_a_no_is_remembered() -> None:
    checks, asked = PathChecks(), []

    def answer(value: bool) -> bool:
        asked.append(value)
        return value

    for _ in range(2):
        assert await checks.ask("/srv/here", lambda: answer(True))
        assert not await checks.ask("/srv/gone", lambda: answer(False))
    assert asked == [True, False, True]
