"""The words of an index: completed, counted, and refreshed."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.keyword_registry import add, open_keywords

from semantik.index.keyword import vocabulary
from semantik.index.keyword.vocabulary import Vocabulary


def test_words_are_completed_by_frequency() -> None:
    words = {"kite": 5, "kites": 7, "kit": 5, "kiln": 1, "été": 2, "zoo": 1, "日本": 3}
    known = Vocabulary.of(words.items())
    assert list(known) == sorted(words) and len(known) == 7
    assert known.complete("ki", 3) == [("kites", 7), ("kit", 5), ("kite", 5)]
    assert known.complete("ki", 10)[-1] == ("kiln", 1)
    assert known.complete("日", 5) == [("日本", 3)] and known.complete("x", 5) == []
    assert known.complete("", 1) == [("kites", 7)]
    assert [known.frequency(word) for word in ("kite", "kits", "été", "")] == [5, 0, 2, 0]
    first, end = known.span("kit")
    assert [known[at] for at in range(first, end)] == ["kit", "kite", "kites"]
    assert known.frequencies(first, end).tolist() == [5, 5, 7]
    assert Vocabulary.of([]).complete("a", 3) == [] and Vocabulary.of([]).frequency("a") == 0


def test_of_too_many_words_the_most_frequent_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "_MAX_WORDS", 3)
    assert list(Vocabulary.of([("a", 1), ("b", 5), ("c", 2), ("d", 1), ("e", 9)])) == ["b", "c", "e"]


@pytest.mark.gen_test
async def test_an_index_knows_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_keywords(tmp_path) as index:
        await add(index, "The heater heats.", "Heating, heaters and HEAT", "Été à la Straße", "Москва 東京都")
        assert await index.frequency("heater") == 1 and await index.frequency("heatx") == 0
        found = await index.complete("heat", 10)
        assert dict(found) == {"heat": 1, "heater": 1, "heats": 1, "heating": 1, "heaters": 1}
        assert "москва" in await index.vocabulary() and "ete" in await index.vocabulary()
        assert [word for word, _ in await index.complete("東", 5)] == ["東京"]
        await add(index, *["heatwave"] * 30)
        assert await index.frequency("heatwave") == 30
        monkeypatch.setattr("semantik.index.keyword.vocabulary._AGE_S", 0.0)
        await index.vocabulary()  # it is read again in the background
        assert index._refreshing is not None
        await index._refreshing
        assert await index.complete("heatw", 5) == [("heatwave", 30)]
