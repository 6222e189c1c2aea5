"""Corrections of a query from the words of real keyword indexes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semantik.index.keyword import KeywordIndex, KeywordRegistry, KeywordText
from semantik.query import Clause, parse
from semantik.search.corrections import Corrector

pytestmark = pytest.mark.gen_test

ENGLISH = [
    "The boiler of the old heatpump has a pressure valve; the valves were cleaned.",
    "Thermometers and thermometer scales: the boiler temperature is read at noon.",
    "The canteen was open; don't forget the database backup v1.2.3 of KX-5519.",
    "The gas line, the boiler room and the swimming pool.",
]
OTHERS = [
    "Their café serves crème brûlée.",
    "Die Wärmepumpe heizt das Gewächshaus; die Datenbanktabelle ist groß.",
    "Котельная и насосная станция работают круглосуточно.",
    "Ο λέβητας και η αντλία θερμότητας.",
    "热泵系统的压力阀",
]


# As in a collection of some size, many words are in it once.
_RARE = " ".join("".join(letters) for letters in product("qxzj", repeat=6))


async def _no_pool(*_: Any, **__: Any) -> Any:
    raise AssertionError("so few texts need no pool")


@asynccontextmanager
async def indexes(folder: Path, *texts: list[str]) -> AsyncIterator[list[KeywordIndex]]:
    registry = KeywordRegistry(folder, _no_pool)
    try:
        opened = []
        for number, each in enumerate(texts):
            index = await registry.open(f"c{number}", 1, 2)
            await index.add(
                np.arange(len(each) + 1),
                [KeywordText(text, language="en" if text.isascii() else None) for text in (*each, _RARE)],
            )
            opened.append(index)
        yield opened
    finally:
        await registry.close()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("boilr", "boiler"), ("boielr pressure", "boiler pressure"), ("oiler", "boiler"),
        ("Zhermometer", "Thermometer"),
        ("presure vavle", "pressure valve"), ("temprature of the Boilre?", "temperature of the Boiler?"),
        ("crèmme", "crème"), ("Wärmpumpe", "Wärmepumpe"), ("Gewächshuas", "Gewächshaus"), ("котелная", "котельная"),
        ("λέβητς", "λέβητας"), ("boilerroom", "boiler room"), ("heat pump", "heatpump"),
        ("swiming-pool", "swimming-pool"),
        ("Datenbank Tabelle", "Datenbanktabelle"), ("gas OR bolier", "gas OR boiler"), ("data base", "database"),
    ],
)  # fmt: skip
async def test_words_that_no_collection_has_are_corrected(tmp_path: Path, typed: str, expected: str) -> None:
    async with indexes(tmp_path, ENGLISH, OTHERS) as opened:
        parsed = parse(typed)
        found = await Corrector().correct(parsed, ("en", "de"), opened)
        wanted = parse(expected)
        assert found.corrections
        assert (found.parsed.plain, found.parsed.optional, found.parsed.required) == (
            wanted.plain, wanted.optional, wanted.required
        )  # fmt: skip


@pytest.mark.parametrize(
    "typed",
    [
        "boiler", "Boilers", "CREME BRULEE", "don't", "valve", "thermometer scale",  # known, or by their stems
        "KX-5518", "v1.2.4", "12345", "boiler_romo", "a@boilr.org", "boilr.txt", "getBoilr", "C:\\boilr", "boilr2",
        '"boilr room"', "boilr*", "oil", "zzzzzz", "xylophonist", "热朋", "boiler -presure", "path:boilr boiler",
    ],
)  # fmt: skip
async def test_what_is_known_or_no_word_stays(tmp_path: Path, typed: str) -> None:
    async with indexes(tmp_path, ENGLISH, OTHERS) as opened:
        parsed = parse(typed)
        found = await Corrector().correct(parsed, ("en",), opened)
        assert (found.parsed, found.corrections) == (parsed, ())


async def test_a_word_of_any_searched_collection_is_known(tmp_path: Path) -> None:
    async with indexes(tmp_path, ["a boiler"], ["a broiler"]) as (first, second):
        corrector, parsed = Corrector(), parse("broiler boilr")
        alone = await corrector.correct(parsed, (), [first])
        assert [(each.word, each.instead) for each in alone.corrections] == [
            ("broiler", "boiler"), ("boilr", "boiler")
        ]  # fmt: skip
        both = await corrector.correct(parsed, (), [first, second])
        assert [(each.word, each.instead) for each in both.corrections] == [("boilr", "boiler")]
        assert both.parsed.optional == (Clause("broiler"), Clause("boiler"))


async def test_words_that_were_added_later_are_known_at_once(tmp_path: Path) -> None:
    async with indexes(tmp_path, ["a boiler"]) as (index,):
        corrector = Corrector()
        assert (await corrector.correct(parse("broiler"), (), [index])).corrections
        await index.add(np.array([5]), [KeywordText("a broiler")])
        assert not (await corrector.correct(parse("broiler"), (), [index])).corrections


async def test_many_unknown_words_are_no_slips(tmp_path: Path) -> None:
    async with indexes(tmp_path, ["a boiler"]) as opened:
        parsed = parse(" ".join(f"{letter}oiler{letter}" for letter in "abcdefghijklmnopqrstu"))
        assert (await Corrector().correct(parsed, (), opened)).corrections == ()


async def test_function_words_and_months_are_no_slips(tmp_path: Path) -> None:
    async with indexes(tmp_path, ["You must come in January with the boats."]) as opened:
        for text, languages, instead in (
            ("Was muss ich tun", ("de",), []),
            ("31. Januar 2026", ("de",), []),
            ("muzt", ("en",), ["must"]),
            ("Januery", ("en",), ["January"]),
        ):
            found = await Corrector().correct(parse(text), languages, opened)
            assert [each.instead for each in found.corrections] == instead, text
