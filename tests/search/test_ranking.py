"""What comes first, with the bundled model: by meaning and by words, in groups, without copies, and what is weak."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.search_service import SearchFixture, paths, search_fixture

from semantik.core.errors import NotFound, Unavailable

pytestmark = pytest.mark.gen_test

_STATION = {
    "/generator.txt": [
        "The diesel generator behind the dome starts by itself when the mains fail. Its tank lasts for nine hours.",
        "Once a month somebody lets the generator run for half an hour and writes down the oil pressure.",
    ],
    "/dome.txt": [
        "The dome is closed when the wind is stronger than sixty kilometres an hour, or when it snows.",
        "Ice on the slit is removed with warm air, never with a scraper. Call Oksana Brandvold before you climb.",
    ],
    "/spares.txt": [
        "The encoder KX-5519 of the azimuth drive is in the second drawer; its successor KX-5520 does not fit.",
        "Fuses of ten amperes hang beside the door of the workshop.",
    ],
    "/kitchen.txt": ["Whoever eats last washes up. Bread comes on Tuesdays and Fridays from the village."],
    "/visitors.txt": [
        "Groups of up to twelve people may look through the small telescope on clear Saturdays."
    ],
    "/log.txt": [
        "21:40 clouds from the west, observation stopped. 23:15 clear again, seeing of two arc seconds."
    ],
    "/mirror.txt": [
        "The primary mirror is washed with distilled water every spring and coated every third year."
    ],
    "/network.txt": ["The camera's pictures go to the archive over a radio link that is slow when it rains."],
    "/keys.txt": [
        "A second key to the workshop hangs in the office of the caretaker, beside the first-aid box."
    ],
}
_COPY = "The emergency number of the observatory is 0555-1234. It is answered at any time of the day."


async def _station(search: SearchFixture) -> None:
    await search.add(await search.collection(), _STATION)


async def test_meaning_words_names_and_identifiers_are_found_first(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as search:
        await _station(search)
        for text, path in (
            ("What happens during a power cut?", "/generator.txt"),
            ("Brandvold", "/dome.txt"),
            ("KX-5519", "/spares.txt"),
            ("10 or twelve people looking through it", "/visitors.txt"),
            ('"second key"', "/keys.txt"),
        ):
            result = await search.ask(text)
            assert paths(result)[0] == path, text
            assert result.mode == "hybrid" and result.degraded is None
        best = (await search.ask("oil pressure of the generators")).hits[0]
        assert best.chunk.text.startswith("Once a month")
        assert {best.chunk.text[start:end] for start, end in best.highlights} == {
            "oil",
            "pressure",
            "generator",
        }
        assert best.matched == ("oil", "pressure", "generators")
        assert best.scores.meaning is not None and best.scores.words is not None and best.scores.words > 0


async def test_excluded_words_and_phrases_restrict_what_is_found(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as search:
        await _station(search)
        count = sum(map(len, _STATION.values()))
        everything = await search.ask("telescope dome", k=50)
        without = await search.ask("telescope dome -wind", k=50)
        assert len(everything.hits) == count and len(without.hits) == count - 1
        assert not any("wind" in hit.chunk.text for hit in without.hits)
        assert paths(await search.ask('"first-aid box" workshop', k=50)) == ["/keys.txt"]
        relaxed = await search.ask('Who cleans the "primary glass"?', k=3)
        assert paths(relaxed)[0] == "/mirror.txt"
        assert relaxed.mode == "hybrid" and "words were searched for instead" in (relaxed.degraded or "")
        assert (await search.ask('"first-aid box"')).degraded is None


async def test_pages_of_groups_hold_each_document_once(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as search:
        await _station(search)
        first = await search.ask("the generator", k=5, group_by="document")
        second = await search.ask("the generator", k=5, offset=5, group_by="document")
        assert len(first.hits) == 5 and sorted(paths(first) + paths(second)) == sorted(_STATION)
        assert paths(first)[0] == "/generator.txt" and len(first.hits[0].more) == 1
        chunks = await search.ask("generator", k=50, per_document=1)
        assert sorted(paths(chunks)) == sorted(_STATION)


async def test_copies_count_once(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as search:
        collection = await search.collection()
        copies = {f"/copy{n}.txt": [_COPY] for n in range(3)}
        await search.add(collection, {**copies, **_STATION})
        result = await search.ask("0555-1234", k=3)
        assert len(result.hits) == 3 and paths(result)[0].startswith("/copy")
        others = {copy.document.path for copy in result.hits[0].also_in}
        assert {result.hits[0].document.path, *others} == set(copies)


async def test_unrelated_questions_are_weak_and_real_ones_are_not(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as search:
        await _station(search)
        for text in (
            "What is the capital of Mongolia?",
            "How is cheese made from goat milk?",
            "Which vaccine does a puppy need first?",
            "What is the offside rule in football?",
        ):
            assert (await search.ask(text)).relevance == "weak", text
        for text in (
            "How often is the primary mirror washed?",
            "When must the dome be closed?",
            "Where are the ten ampere fuses?",
            "KX-5519",
        ):
            result = await search.ask(text)
            assert result.relevance == result.hits[0].relevance != "weak", text
            assert result.hits[-1].relevance == "weak"


async def test_collections_of_different_size_share_one_order(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as search:
        await _station(search)
        small = await search.collection("Small")
        await search.add(small, {"/note.txt": ["The generator was sold."], "/other.txt": ["Lunch at noon."]})
        assert paths(await search.ask("Brandvold and the ice on the slit"))[0] == "/dome.txt"
        assert paths(await search.ask("Who sold the generator?"))[0] == "/note.txt"
        assert paths(await search.ask("generator in:small", k=9)) == ["/note.txt", "/other.txt"]


async def test_words_answer_while_the_model_does_not(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as search:
        await _station(search)
        await search.ask("ready")
        search.broken.append("The model is being loaded.")
        result = await search.ask("generator pressure")
        assert result.mode == "words" and "The model is being loaded." in str(result.degraded)
        assert result.hits[0].document.path == "/generator.txt" and result.hits[0].scores.meaning is None
        assert (await search.ask("azimuth drive", mode="words")).degraded is None
        with pytest.raises(Unavailable, match="being loaded"):
            await search.ask("azimuth drive", mode="meaning")


async def test_similar_chunks_are_found_without_the_chunk_and_its_copies(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as search:
        collection = await search.collection()
        await search.add(collection, {"/a.txt": [_COPY], "/b.txt": [_COPY], **_STATION})
        generator = (await search.ask("diesel generator mains fail")).hits[0]
        similar = search.service.similar
        where = (search.principal, collection.id, generator.document.id, generator.chunk.seq)
        found = await similar.find(*where, k=50, offset=0, group_by="chunk")
        assert found.hits[0].chunk.text.startswith("Once a month")
        assert all(hit.chunk.seq != generator.chunk.seq for hit in found.hits)
        grouped = await similar.find(*where, k=50, offset=0, group_by="document")
        assert "/generator.txt" not in paths(grouped) and len(grouped.hits) == len(_STATION)
        copy = next(
            hit for hit in (await search.ask("0555-1234")).hits if hit.document.path in ("/a.txt", "/b.txt")
        )
        of_copy = await similar.find(
            search.principal,
            collection.id,
            copy.document.id,
            copy.chunk.seq,
            k=50,
            offset=0,
            group_by="chunk",
        )
        assert not {"/a.txt", "/b.txt"} & set(paths(of_copy))
        with pytest.raises(NotFound):
            await similar.find(*where[:3], copy.chunk.seq, k=5, offset=0, group_by="chunk")
