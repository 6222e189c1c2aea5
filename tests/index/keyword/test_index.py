"""What a keyword index finds for a query, and what it keeps when it is closed, opened again or not saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.keyword_registry import add, found, keyword_registry, open_keywords, words

from semantik.core.errors import Invalid
from semantik.index.keyword import KeywordText

pytestmark = pytest.mark.gen_test


async def test_exact_words_come_before_their_other_forms(tmp_path: Path) -> None:
    async with open_keywords(tmp_path) as index:
        await add(index, "They sailed by night.", "They sail by night.", "They sang by night.")
        assert await found(index, "sail") == [1, 0]
        assert await found(index, "sailed") == [0, 1]


async def test_what_a_question_is_about_decides_before_its_function_words(tmp_path: Path) -> None:
    async with open_keywords(tmp_path) as index:
        await add(
            index, "How? I do what I can do.", "Rows are put in order with sort.", *["The rows, then."] * 6
        )
        assert (await found(index, "How do I sort rows?"))[0] == 1
        assert (await found(index, "how do I"))[0] == 0


@pytest.mark.parametrize(
    ("query", "seqs"),
    [
        ('"harbour pilot"', {0}),
        ('"pilot harbour"', set()),
        ("harbour pilot", {0, 1, 2}),
        ("harbour -pilot", {2}),
        ('pilot -"harbour pilot"', {1}),
        ('"harbour master" OR "harbour pilot"', {0, 2}),
        ("harb*", {0, 1, 2}),
        ("harbour -mas*", {0, 1}),
        ("nothing of this", set()),
        ("pilot -harbour", set()),
        ('""', set()),
        ("???", set()),
    ],
)
async def test_conditions_of_a_query_hold_for_all_that_is_found(
    tmp_path: Path, query: str, seqs: set[int]
) -> None:
    async with open_keywords(tmp_path) as index:
        await add(index, "The harbour pilot came.", "A pilot left the harbour.", "The harbour master slept.")
        assert set(await found(index, query)) == seqs


async def test_titles_and_headings_are_found_and_raise_the_score(tmp_path: Path) -> None:
    async with open_keywords(tmp_path) as index:
        titled = KeywordText("The pump drips at night.", "Boiler room", "Repairs > Valves", "en")
        await add(index, titled, "The pump drips at night.", "The valve and the boiler drip at night.")
        assert await found(index, "boiler") == [2, 0]
        assert await found(index, "valves pump") == [0, 2, 1] or await found(index, "valves pump") == [
            0,
            1,
            2,
        ]
        assert await found(index, '"boiler room"') == [0]
        assert await found(index, "pump -repairs") == [1]


@pytest.mark.parametrize("query", ["KX-5519", "foo_bar", "v1.2.3", "don't", "C++"])
async def test_identifiers_are_found_as_a_whole_before_their_parts(tmp_path: Path, query: str) -> None:
    async with open_keywords(tmp_path) as index:
        await add(
            index, f"the part {' '.join(query.replace('-', '_').split('_'))[::-1]}", f"the part {query} x"
        )
        assert (await found(index, query))[0] == 1


async def test_scores_are_given_for_what_meets_the_conditions(tmp_path: Path) -> None:
    async with open_keywords(tmp_path) as index:
        await add(index, "red kite", "blue kite", "red boat", "green tree")
        await index.delete([(2, 3)])
        scores = await index.scores(words("red kite"), [0, 1, 2, 3, 99, -1])
        assert scores.keys() == {0, 1, 3} and scores[0] > scores[1] > scores[3] == 0.0
        assert (await index.scores(words("red -blue"), [0, 1, 3])).keys() == {0, 3}
        assert (await index.scores(words('"red kite"'), [0, 1, 3])).keys() == {0}
        ranked = await index.search(words("red kite"), 10)
        assert {each.seq: each.score for each in ranked} == pytest.approx({0: scores[0], 1: scores[1]})
        assert await index.search(words("red kite"), 10, threshold=scores[0] - 1e-4) == ranked[:1]


async def test_texts_that_cannot_be_stored_as_they_are_do_no_harm(tmp_path: Path) -> None:
    async with open_keywords(tmp_path) as index:
        await add(index, "", "\ud800 lone", "a\0b kite", "x" * 200_000, "ﬁne ① kite " * 3)
        assert index.size == 5 and set(await found(index, "kite")) == {2, 4}
        assert await found(index, "lone") == [1]
        await index.search(words("\ud800 \0 " + "kite " * 3000 + '"' + "-*" * 50), 5)


async def test_what_was_saved_is_there_again(tmp_path: Path) -> None:
    async with open_keywords(tmp_path) as index:
        await add(index, "red kite", "blue kite", "green kite")
        await index.delete([(1, 2), (7, 9)])
    async with open_keywords(tmp_path) as index:
        assert index.last_seq == 2 and index.size == 2
        await index.add(np.arange(3, 10), [KeywordText("late kite")] * 7)
        assert sorted(await found(index, "kite")) == [0, 2, 3, 4, 5, 6, 9]


async def test_what_was_not_saved_steps_back_with_last_seq(tmp_path: Path) -> None:
    async with keyword_registry(tmp_path) as registry:
        index = await registry.open("c", 1, 384)
        await add(index, "red kite", "blue kite")
        assert sorted(await found(index, "kite")) == [0, 1]  # this has saved them
        await add(index, "green kite")
        await index.delete([(0, 1)])
        index.stop()  # as a crash: nothing is saved any more
        again = await registry.open("c", 1, 384)
        assert again is not index and again.last_seq == 1
        assert await found(again, "kite") == [1]
        await add(again, "green kite")
        assert sorted(await found(again, "kite")) == [1, 2]


async def test_deleting_the_last_chunks_keeps_them_deleted_when_they_are_added_again(tmp_path: Path) -> None:
    async with open_keywords(tmp_path) as index:
        await add(index, "red kite", "blue kite", "green kite")
        await found(index, "kite")
        await index.delete([(1, 3)])
    async with open_keywords(tmp_path) as index:
        assert index.last_seq == 0
        await add(index, "blue kite", "green kite", "new kite")
        assert sorted(await found(index, "kite")) == [0, 3] and index.last_seq == 3


async def test_wrong_texts_are_refused(tmp_path: Path) -> None:
    async with open_keywords(tmp_path) as index:
        with pytest.raises(Invalid):
            await index.add(np.array([0.5]), [KeywordText("kite")])
        with pytest.raises(Invalid):
            await index.add(np.array([[0]]), [KeywordText("kite")])
        assert index.size == 0


async def test_a_large_batch_is_analysed_in_the_pool_and_added_in_order(tmp_path: Path) -> None:
    async with open_keywords(tmp_path) as index:
        await add(index, *(f"kite number{chr(97 + n % 26)}" for n in range(2500)))
        assert index.last_seq == 2499 and index.size == 2500
        assert await found(index, "numberc", k=2000) == list(range(2, 2500, 26))
