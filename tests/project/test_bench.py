"""The bench's own parts: ratios, verdicts, and that each measure can be named. What it measures, it measures itself."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import measures
from bench.figures import Figure, table

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("figure", "holds"),
    [
        (Figure("", 3.0, "s", 1.0, least=3), True),
        (Figure("", 2.9, "s", 1.0, least=3), False),
        (Figure("", 0.2, "ms", 1.0, most=0.25), True),
        (Figure("", 0.3, "ms", 1.0, most=0.25), False),
        (Figure("", 149.0, "MB", most=150), True),
        (Figure("", 151.0, "MB", most=150), False),
        (Figure("", 151.0, "MB"), None),
    ],
)
def test_an_aim_is_on_the_ratio_or_on_the_figure_itself(figure: Figure, holds: bool | None) -> None:
    assert figure.holds is holds


def test_a_table_has_a_line_for_each_figure_and_says_what_is_missed() -> None:
    lines = table(
        [Figure("one", 6.0, "ms", 12.0, "encode", most=0.6), Figure("two", 7.0, "s", most=2, note="cold")]
    ).splitlines()
    assert len(lines) == 3
    assert "0.5" in lines[1] and "≤ 0.6" in lines[1] and "holds; against encode" in lines[1]
    assert "MISSED; cold" in lines[2]


def test_a_figure_survives_its_json() -> None:
    figure = Figure("one", 6.0, "ms", 12.0, "encode", most=0.6)
    assert Figure(**json.loads(json.dumps(vars(figure)))) == figure


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(measures.__path__)])
def test_every_measure_says_what_it_measures(name: str) -> None:
    module = importlib.import_module(f"bench.measures.{name}")
    assert callable(module.measure) and module.__doc__


def test_a_measure_that_does_not_exist_is_refused_with_the_names_of_those_that_do() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bench", "nothing"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ended.returncode == 2
    assert "There is no measure nothing; there are " in ended.stderr and "Traceback" not in ended.stderr
