"""The parts of the benchmark itself: ratios, targets, the table, and the command line. Runs no measure."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import measures
from bench.pairs import Pair
from bench.results import Result, line, table

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("result", "met"),
    [
        (Result("", 3.0, "s", 1.0, minimum=3), True),
        (Result("", 2.9, "s", 1.0, minimum=3), False),
        (Result("", 0.2, "ms", 1.0, maximum=0.25), True),
        (Result("", 0.3, "ms", 1.0, maximum=0.25), False),
        (Result("", 149.0, "MB", maximum=150), True),
        (Result("", 151.0, "MB", maximum=150), False),
        (Result("", 151.0, "MB"), None),
    ],
)
def test_a_target_applies_to_the_ratio_or_to_the_value(result: Result, met: bool | None) -> None:
    assert result.target_met is met


def test_a_table_has_a_line_for_each_result_and_marks_missed_targets() -> None:
    lines = table(
        [
            Result("one", 6.0, "ms", 12.0, "encode", maximum=0.6),
            Result("two", 7.0, "s", maximum=2, note="cold"),
        ]
    ).splitlines()
    assert len(lines) == 3
    assert "0.5" in lines[1] and "≤ 0.6" in lines[1] and "met; against encode" in lines[1]
    assert "MISSED; cold" in lines[2]


def test_a_result_survives_json() -> None:
    result = Result("one", 6.0, "ms", 12.0, "encode", maximum=0.6)
    assert Result(**json.loads(json.dumps(vars(result)))) == result


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(measures.__path__)])
def test_every_measure_is_documented(name: str) -> None:
    module = importlib.import_module(f"bench.measures.{name}")
    assert callable(module.measure) and module.__doc__


def test_a_pair_gives_medians_and_the_spread_of_the_wider_side() -> None:
    pair = Pair("one", "ms", "lower", [10.0, 11.0, 12.0], [20.0, 30.0, 40.0], "in turns")
    result = pair.result("before", 1.05)
    assert (result.value, result.reference, result.maximum, result.minimum) == (11.0, 30.0, 1.05, None)
    assert result.target_met and result.spread == pytest.approx(5 / 30)
    assert "± 17%; against before; in turns" in line(result)
    slower = Pair("two", "/s", "higher", [9.0], [10.0]).result("before", 0.95)
    assert not slower.target_met and slower.spread == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["compare"], "compare needs a revision"),
        (["compare", "no-such-revision"], "There is no revision no-such-revision"),
        (["compare", "HEAD", "nothing"], "There is nothing to compare called nothing; there are starting, "),
    ],
)
def test_a_comparison_needs_a_revision_and_known_names(words: list[str], sentence: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bench", *words], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ended.returncode == 2
    assert sentence in ended.stderr and "Traceback" not in ended.stderr


def test_an_unknown_measure_is_refused_with_the_known_names() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bench", "nothing"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ended.returncode == 2
    assert "There is no measure nothing; there are " in ended.stderr and "Traceback" not in ended.stderr
