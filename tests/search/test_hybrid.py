"""Words and meaning together, from files to hits: names, numbers, phrases, typos, filters, restarts, lost indexes."""

from __future__ import annotations

import asyncio
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import PASSWORD, index, new_user
from support.patience import deadline
from support.server import Serving

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test, pytest.mark.real_model]

_OLDER = Path(__file__).parents[1] / "storage" / "data" / "c36cab6.tar.gz"
_TEXTS = {
    "ferry.md": "# Timetable\n\nThe ferry Maren Solberg leaves Sandoy at seven in the morning and returns at noon.",
    "keeper.txt": "Olav Brekke looks after the lighthouse. He cleans both lamps before dusk and notes the weather.",
    "invoice.txt": "Invoice KX-5519: three brass hinges, 14.50 each, delivered to the boat yard on 3 March 2024.",
    "pump.md": "# Bilge pump\n\nIf the bilge pump fails, start the spare one by hand and call the engineer.",
    "beans.txt": "Runner beans want poles two metres high and a wet July. Pick them young.",
    "kaese.txt": "Der Ziegenkäse reift sechs Wochen lang im kühlen Keller unter der alten Mühle.",
    "todai.txt": "灯台守は毎晩二つの灯りを丁寧に磨いていた。その後、天気を日誌に書いた。",
    "cellar.txt": "The cellar below the mill stays at nine degrees, which suits cheese and russet apples.",
}


async def _ask(client: Client, query: str, **more: Any) -> dict[str, Any]:
    """The answer of both indexes: on a busy machine the model, or new words, may take a moment."""
    async with deadline():
        while True:
            answer: dict[str, Any] = await client.call("POST", "search", {"query": query, **more})
            if answer["mode"] == more.get("mode", "hybrid"):  # a relaxed phrase is said in `degraded`, too
                return answer
            await asyncio.sleep(0.05)


def _names(answer: dict[str, Any]) -> list[str]:
    return [hit["document"]["name"] for hit in answer["hits"]]


async def _first(client: Client, query: str, **more: Any) -> str:
    return _names(await _ask(client, query, **more))[0]


async def _at_once(client: Client, query: str) -> str:
    """The first hit of the first answer, whichever indexes it is of."""
    answer = await client.call("POST", "search", {"query": query})
    return _names(answer)[0]


async def _harbour(client: Client, folder: Path) -> str:
    """Index the texts; returns the collection's id."""
    folder.mkdir()
    for name, text in _TEXTS.items():
        (folder / name).write_text(text, "utf-8")
    collection_id, _ = await index(client, folder, "Harbour")
    return collection_id


async def test_names_numbers_and_phrases_come_first(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    await _harbour(client, tmp_path / "docs")
    expected = {
        "Maren Solberg": "ferry.md",
        "brekke": "keeper.txt",
        "KX-5519": "invoice.txt",
        "14.50": "invoice.txt",
        "2024-03-03": "invoice.txt",
        '"poles two metres high"': "beans.txt",
        "ziegenkase": "kaese.txt",
        "天気を日誌に": "todai.txt",
        "Who is called when the pump breaks?": "pump.md",
        "At what time does the ferry leave?": "ferry.md",
    }
    assert {query: await _first(client, query) for query in expected} == expected


async def test_each_mode_finds_in_its_way(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    await _harbour(client, tmp_path / "docs")
    words = await _ask(client, "brass hinges", mode="words")
    assert _names(words) == ["invoice.txt"]
    assert words["mode"] == "words" and words["hits"][0]["scores"]["words"] > 0
    assert _names(await _ask(client, "vessel departure", mode="words")) == []
    meaning = await _ask(client, "vessel departure", mode="meaning")
    assert _names(meaning)[0] == "ferry.md" and meaning["hits"][0]["scores"]["words"] is None
    hybrid = await _ask(client, "brass hinges")
    assert hybrid["mode"] == "hybrid" and _names(hybrid)[0] == "invoice.txt"
    [first, *_] = hybrid["hits"]
    assert first["score"] == first["scores"]["meaning"] and -1 <= first["score"] <= 1
    assert set(first["matched"]) == {"brass", "hinges"}
    marked = {first["passage"][start:end] for start, end in first["highlights"]}
    assert marked == {"brass", "hinges"}


async def test_a_typo_is_corrected_and_named(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    await _harbour(client, tmp_path / "docs")
    answer = await _ask(client, "Solbreg")
    assert _names(answer)[0] == "ferry.md"
    assert [each["from"].lower() for each in answer["corrections"]] == ["solbreg"]
    assert [each["to"].lower() for each in answer["corrections"]] == ["solberg"]
    assert (await _ask(client, "Solberg"))["corrections"] == []


async def test_what_fits_nothing_is_weak(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    await _harbour(client, tmp_path / "docs")
    assert (await _ask(client, "renormalisation of gauge theories"))["relevance"] == "weak"
    assert (await _ask(client, "When does the ferry to Sandoy leave?"))["relevance"] != "weak"


async def test_filters_and_excluded_words_leave_the_others(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    await _harbour(client, tmp_path / "docs")
    everything = set(_TEXTS)
    assert set(_names(await _ask(client, "cellar", k=50))) == everything
    assert set(_names(await _ask(client, "cellar -russet", k=50))) == everything - {"cellar.txt"}
    assert set(_names(await _ask(client, "pump type:md", k=50))) == {"ferry.md", "pump.md"}
    assert set(_names(await _ask(client, "pump", k=50, filters={"extensions": [".md"]}))) == {
        "ferry.md",
        "pump.md",
    }
    assert _names(await _ask(client, "title:bilge spare", k=50)) == ["pump.md"]
    assert "beans.txt" not in _names(await _ask(client, '"runner beans" -poles', k=50))


async def test_a_query_of_operators_alone_is_no_error(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    await _harbour(client, tmp_path / "docs")
    for query in (
        '"',
        '""',
        "-",
        "OR",
        "title:",
        '"open phrase',
        "a AND (b",
        "*",
        "before:tomorrow",
        "-cellar",
    ):
        assert isinstance((await _ask(client, query))["hits"], list), query


async def test_both_indexes_survive_a_restart(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start()
    client = await new_user(serving)
    await _harbour(client, tmp_path / "docs")
    queries = ("KX-5519", "When does the ferry leave?", "Solbreg", '"both lamps"')
    before = {query: _names(await _ask(client, query)) for query in queries}
    serving.kill()
    serving = start()
    again = Client(serving.url, client.token)
    assert {query: _names(await _ask(again, query)) for query in queries} == before


async def test_a_lost_keyword_index_is_built_again(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start()
    client = await new_user(serving)
    await _harbour(client, tmp_path / "docs")
    assert await _first(client, "KX-5519") == "invoice.txt"
    assert serving.stop() == 0
    [lost] = _keyword_folders(serving.data)
    shutil.rmtree(lost)
    again = Client(start().url, client.token)
    assert await _at_once(again, "When does the ferry leave?") == "ferry.md"
    answer = await _ask(again, "KX-5519")
    assert _names(answer)[0] == "invoice.txt" and answer["hits"][0]["matched"]
    assert [path.name for path in _keyword_folders(serving.data)] == [lost.name]


def _keyword_folders(data: Path) -> list[Path]:
    """The folder of each keyword index."""
    return [path.parent for path in (data / "keywords").rglob("keyword.json")]


@pytest.mark.skipif("os.environ.get('SEMANTIK_TEST_MONGO_URL')", reason="for the embedded MongoDB")
async def test_older_data_is_found_by_meaning_at_once_and_by_words_later(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    with tarfile.open(_OLDER) as archive:
        archive.extractall(tmp_path, filter="data")
    assert _keyword_folders(tmp_path / "data") == []
    client = Client(start().url)
    await client.sign_in("admin@example.com", PASSWORD)
    assert await _at_once(client, "when does the ferry sail?") == "harbour.txt"
    answer = await _ask(client, "KX-5519")
    assert _names(answer)[0] == "invoice.html" and answer["mode"] == "hybrid"
    assert (await _ask(client, "KX-5519", mode="words"))["hits"][0]["document"]["name"] == "invoice.html"
    assert len(_keyword_folders(tmp_path / "data")) == 1
