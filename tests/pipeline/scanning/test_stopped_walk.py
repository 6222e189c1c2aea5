"""A walk that is told to stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.scanning.walk_rules import WalkRules
from pipeline.scanning.walker import WalkStopped, walk


def test_a_walk_stops_also_within_a_folder_with_very_many_files(tmp_path: Path) -> None:
    for number in range(500):
        (tmp_path / f"{number:03}.txt").touch()
    asked: list[bool] = []

    def is_stopped() -> bool:
        asked.append(len(asked) > 100)
        return asked[-1]

    with pytest.raises(WalkStopped):
        list(walk(tmp_path, WalkRules(("/",), ()), is_stopped))
    assert len(asked) == 102
