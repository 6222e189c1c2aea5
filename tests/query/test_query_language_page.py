"""Every example of docs/reference/query-language.md is understood as the page says."""

import re
from datetime import date
from pathlib import Path

import pytest

from semantik.core.document_types import DOCUMENT_TYPES, document_type
from semantik.query import Clause, QueryFilters, parse

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "query-language.md"
ROWS = re.findall(r"^\| `(.+?)` \| (.+) \|$", PAGE.read_text(), re.MULTILINE)


def phrase(text: str) -> Clause:
    return Clause(text, phrase=True)


WORDS = {
    "boiler pressure too low": ("boiler pressure too low", (), ()),
    '"pressure valve"': ("pressure valve", ((phrase("pressure valve"),),), ()),
    '"KX-5519"': ("KX-5519", ((phrase("KX-5519"),),), ()),
    "boiler -gas": ("boiler", (), (Clause("gas"),)),
    'boiler -"gas line"': ("boiler", (), (phrase("gas line"),)),
    "valve OR tap": ("valve tap", ((Clause("valve"), Clause("tap")),), ()),
    '"pressure valve" OR "safety valve"': (
        "pressure valve safety valve",
        ((phrase("pressure valve"), phrase("safety valve")),),
        (),
    ),
    "therm* broken": ("therm broken", (), ()),
}
FILTERS = {
    "title:manual": QueryFilters(title=(("manual",),)),
    'title:"heat pump"': QueryFilters(title=(("heat pump",),)),
    "title:therm*": QueryFilters(title=(("therm*",),)),
    "path:reports": QueryFilters(path=(("reports",),)),
    "path:*/2024/*.pdf": QueryFilters(path=(("*/2024/*.pdf",),)),
    "type:pdf": QueryFilters(types=("pdf",)),
    "type:word,sheet": QueryFilters(types=("word", "sheet")),
    "after:2025": QueryFilters(after=date(2025, 1, 1)),
    "before:2025-03": QueryFilters(before=date(2025, 3, 1)),
    "author:lee": QueryFilters(authors=(("lee",),)),
    'author:"=Ann Lee"': QueryFilters(authors=(("=Ann Lee",),)),
    "tag:heating": QueryFilters(tags=(("heating",),)),
    "tag:heating,gas": QueryFilters(tags=(("heating", "gas"),)),
    "lang:de": QueryFilters(languages=("de",)),
    "is:recognised": QueryFilters(recognised=True),
    "in:letters": QueryFilters(collections=("letters",)),
}


def test_the_page_has_every_example_of_this_test() -> None:
    assert {*WORDS, *FILTERS} < {example for example, _ in ROWS}


@pytest.mark.parametrize("example", [example for example, _ in ROWS])
def test_an_example_is_understood(example: str) -> None:
    found = parse(example)
    if example in FILTERS:
        assert (found.filters, found.only_filters) == (FILTERS[example], True)
        return
    plain, required, excluded = WORDS.get(example, (example.removeprefix('"'), (), ()))
    assert (found.plain, found.required, found.excluded) == (plain, required, excluded)
    assert not found.filters.any
    assert [each.prefix for each in found.optional].count(True) == ("*" in example)


def test_types_and_values_in_running_text_exist() -> None:
    text = PAGE.read_text()
    (types,) = re.findall(r"\*\*Types\*\*: (.+?); an ending", text, re.DOTALL)
    named = re.findall(r"`([^`]+)`", types)
    assert all(document_type(name) for name in named)
    assert {DOCUMENT_TYPES[name] for name in named} == set(DOCUMENT_TYPES.values())
    for value, field in re.findall(r"`((after|before|lang|type|in|path|title):[^`]+)`", text):
        is_plain = value in ("after:lunch", "lang:klingon", "type:error", "title: manual")
        assert parse(value).filters.any != is_plain, (value, field)
