"""The table of docs/explanation/search-analysis.md is what the analysis does, row by row."""

from __future__ import annotations

import re
from pathlib import Path

from semantik.analysis import Terms, terms
from semantik.analysis.query_terms import FORM_WEIGHT

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "search-analysis.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(.+?)` \|(.*?)\|(.*?)\|(.*?)\|$", PAGE, re.M)


def test_each_row_is_what_the_analysis_gives() -> None:
    assert len(ROWS) > 10
    for text, words, others, wholes in ROWS:
        assert terms(text, "en") == Terms(words.split(), others.split(), wholes.split()), text


def test_the_weight_of_another_form_is_the_one_that_is_told() -> None:
    assert f"another form of it counts {FORM_WEIGHT} as much" in PAGE
