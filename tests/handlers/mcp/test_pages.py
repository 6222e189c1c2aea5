"""Answers that are larger than an assistant takes come in pages, and nothing of them is lost."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from mcp.client.session import ClientSession
from support.api import ask, index, new_user
from support.assistants import call, over_http
from support.server import Serving

from handlers.mcp.budget import Budget, json_size, prefix
from handlers.mcp.passages import hit_page, parse_uri
from handlers.mcp.reading import _forward
from semantik.core.models import Chunk

_SMALL = 10_000


def _text(name: str) -> str:
    """Some 40 kB, of which no two parts are the same."""
    return "\n\n".join(
        f"Paragraph {number} of {name}: the lamp “{number * 7919 % 1000}” burns in room {number}; its oil lasts."
        for number in range(400)
    )


async def _pages(session: ClientSession, tool: str, **arguments: Any) -> list[dict[str, Any]]:
    pages, offset = [], 0
    while True:
        page = await call(session, tool, **arguments, offset=offset, max_bytes=_SMALL)
        assert json_size(page) <= _SMALL
        pages.append(page)
        if page["next_offset"] is None:
            return pages
        assert page["next_offset"] > offset
        offset = page["next_offset"]


@pytest.mark.gen_test
async def test_a_long_document_and_many_hits_come_in_pages(shared: Serving, tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.txt").write_text(_text(name))
    user = await new_user(shared)
    collection_id, _ = await index(user, folder)
    [hit] = await ask(user, "title:one lamp", k=1)
    place = {"collection_id": collection_id, "document_id": hit["document"]["id"]}
    whole = await user.call(
        "GET", f"collections/{collection_id}/documents/{hit['document']['id']}/content", limit=1_000_000
    )
    async with over_http(shared.url, user.token) as session:
        pages = await _pages(session, "read", **place)
        assert len(pages) > 4
        passages = [each for page in pages for each in page["passages"]]
        for one, other in itertools.pairwise(passages):
            assert whole["text"][one["end"] : other["start"]].strip() == "" and one["end"] <= other["start"]
        assert [whole["text"][each["start"] : each["end"]] for each in passages] == [
            each["untrusted"]["text"] for each in passages
        ]
        assert (passages[0]["start"], passages[-1]["end"]) == (0, whole["length"])

        found = [
            each
            for page in await _pages(session, "search", query="lamp oil", limit=50)
            for each in page["hits"]
        ]
        known = [(each["document"]["id"], each["seq"]) for each in await ask(user, "lamp oil", k=len(found))]
        assert sorted((each["document_id"], each["seq"]) for each in found) == sorted(known)
        seen = {(each["document_id"], each["seq"]) for each in found}
        assert len(seen) == len(found) > 50

        middle = passages[len(passages) // 2]["seq"]
        window = await call(session, "read", **place, around=middle, before=50, after=50, max_bytes=_SMALL)
        seqs = [each["seq"] for each in window["passages"]]
        assert seqs == list(range(seqs[0], seqs[-1] + 1)) and seqs[0] < middle < seqs[-1]
        assert json_size(window) <= _SMALL and window["previous_seq"] == seqs[0] - 1
        assert window["next_offset"] == window["passages"][-1]["end"]
        small = await call(session, "read", **place, around=middle, before=1, after=1)
        assert [each["seq"] for each in small["passages"]] == [middle - 1, middle, middle + 1]
        text = " ".join(each["untrusted"]["text"] for each in small["passages"])
        start, end = small["passages"][0]["start"], small["passages"][-1]["end"]
        assert text.split() == whole["text"][start:end].split()

        uri, parts = f"semantik://collections/{collection_id}/documents/{place['document_id']}", []
        while True:
            notice, content = (await session.read_resource(uri)).contents
            parts.append(content.text)
            if "the next ones are at " not in notice.text:
                break
            uri = notice.text.partition("the next ones are at ")[2].rstrip(".")
        assert "".join(parts) == whole["text"]


@pytest.mark.gen_test
async def test_lists_come_in_pages(shared: Serving) -> None:
    user = await new_user(shared)
    made = []
    for number in range(12):
        body = {"name": f"Collection {number:02}", "description": "d" * 9000}
        made.append((await user.call("POST", "collections", body))["id"])
    async with over_http(shared.url, user.token) as session:
        listed, cursor = [], None
        while True:
            page = await call(session, "collections", cursor=cursor, max_bytes=_SMALL)
            assert json_size(page) <= _SMALL
            listed += page["collections"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
    assert [each["collection_id"] for each in listed] == made
    assert {each["description_length"] for each in listed} == {9000}


def _chunk(seq: int, start: int, text: str) -> Chunk:
    return Chunk(seq, "d", text, start, start + len(text), None, None)


def test_a_passage_that_is_larger_than_an_answer_is_continued() -> None:
    text = "".join(f"“{number}” " for number in range(20_000))
    chunk, parts, at = _chunk(7, 100, text), [], 100
    while True:
        items = _forward([chunk], at, Budget(_SMALL))
        [item] = items
        assert json_size(item) <= _SMALL and item["start"] == at
        parts.append(item["untrusted"]["text"])
        if item["continues_at"] is None:
            break
        assert item["continues_at"] == item["end"] > at
        at = item["end"]
    assert "".join(parts) == text


def test_the_beginning_of_a_text_that_fits() -> None:
    assert prefix("abc", 5) == "abc" and prefix("abc", 4) == "ab"
    assert prefix('"\n"', 6) == '"\n' and prefix("aé😀", 9) == "aé😀" and prefix("aé😀", 8) == "aé"
    assert prefix("abc", 1) == prefix("abc", -5) == ""
    assert json.loads(json.dumps(prefix("é" * 5000, 1000))) == "é" * 499


def test_uris_of_documents() -> None:
    assert parse_uri("semantik://collections/a-1/documents/b_2?offset=30") == ("a-1", "b_2", 30)
    assert hit_page([], _SMALL) == ([], [])
