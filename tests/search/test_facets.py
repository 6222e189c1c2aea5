"""Facets, metadata filters and sorted results: exact for the documents of the matched set."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.patience import deadline
from support.search_service import SearchFixture, paths, search_fixture

from semantik.auth.authorization import Authorizer
from semantik.core.errors import Invalid
from semantik.core.models import Collection, Document
from semantik.core.upload_paths import source_path, upload_path
from semantik.search.hits import SearchResult
from semantik.search.query import FACETS
from semantik.services.tags import TagService

pytestmark = pytest.mark.gen_test
METADATA: dict[str, dict[str, Any]] = {
    "/a/boiler.pdf": {"authors": ["Ann Lee", "Bo Ek"], "tags": ["Heating", "gas"], "date": "2024-05-01"},
    "/a/pump.md": {"authors": ["Ann Lee"], "tags": ["heating"], "date": "2025-01"},
    "/a/tax.txt": {"author": "Bo Ek <bo@example.org>", "tags": ["money"], "date": "2025-07-07"},
    "/a/poem.txt": {"authors": ["Ann Lee-Moor"], "title": "A winter poem"},
}
TEXTS = {
    "/a/boiler.pdf": ["The boiler heats the house with gas.", "The boiler has a pressure valve."],
    "/a/pump.md": ["The pump moves warm water from the boiler to the house."],
    "/a/tax.txt": ["The tax of the house is paid in May."],
    "/a/poem.txt": ["Snow falls on the quiet house."],
}


async def _filled(fixture: SearchFixture, name: str = "Docs") -> Collection:
    collection = await fixture.collection(name)
    await fixture.add(collection, TEXTS)
    known = await _documents(fixture, collection)
    await fixture.store.documents.update_each({known[path].id: fields for path, fields in METADATA.items()})  # type: ignore[misc]
    async with deadline():
        while True:  # the index of words is being built
            if (await fixture.ask("house")).mode == "hybrid":
                break
            await asyncio.sleep(0.01)
    return collection


async def _documents(fixture: SearchFixture, collection: Collection) -> dict[str, Document]:
    return await fixture.store.documents.by_paths(collection.current, sorted(TEXTS))


def _values(result: SearchResult, facet: Any) -> dict[str, int]:
    assert result.facets is not None
    return dict(result.facets[facet].values)


async def test_facets_count_the_documents_of_the_result(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as fixture:
        await _filled(fixture)
        result = await fixture.ask("house", facets=FACETS, mode="words")
        assert result.matched is not None and (result.matched.documents, result.matched.complete) == (4, True)
        assert _values(result, "author") == {"Ann Lee": 2, "Bo Ek": 2, "Ann Lee-Moor": 1}
        assert _values(result, "tag") == {"Heating": 2, "gas": 1, "money": 1}
        assert _values(result, "year") == {"2025": 2, "2024": 1, "1970": 1}
        assert _values(result, "type") == {"text": 3, "markdown": 1, "pdf": 1}
        assert _values(result, "collection") == {"Docs": 4}
        assert result.facets is not None and result.facets["tag"].missing == 1
        few = await fixture.ask("house", facets=("author",), facet_values=1)
        assert few.facets is not None and few.facets["author"].others == 2


async def test_each_value_as_a_filter_selects_what_was_counted(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as fixture:
        await _filled(fixture)
        for query in ("house boiler", "path:/"):
            found = await fixture.ask(query, facets=FACETS)
            assert found.facets is not None
            words = {
                "author": 'author:"={}"', "tag": 'tag:"{}"', "type": "type:{}", "language": "lang:{}",
                "year": "after:{0} before:{0}", "collection": 'in:"{}"', "folder": 'path:"{}/*"',
                "recognised": "is:recognised",
            }  # fmt: skip
            for facet, counts in found.facets.items():
                for value, count in counts.values:
                    year = str(int(value) + 1) if facet == "year" else value
                    extra = words[facet].format(value)
                    if facet == "year":
                        extra = f"after:{value} before:{year}"
                    narrowed = await fixture.ask(f"{query} {extra}", k=100, group_by="document")
                    documents = {hit.document.id for hit in narrowed.hits}
                    assert len(documents) == count, (facet, value)


async def test_folders_and_recognised_text_are_counted(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as fixture:
        collection = await fixture.collection()
        names = ("/srv/a/one.txt", "/srv/a/deep/two.txt", "/srv/a/deep/three.txt", "/srv/b/four.txt")
        await fixture.add(collection, {name: [f"Lamp of {name} in the hall."] for name in names})
        known = await fixture.store.documents.by_paths(collection.current, list(names))
        quality = {"recognised_pages": 2, "warnings": []}
        await fixture.store.documents.update_each({known[names[3]].id: {"quality": quality}})  # type: ignore[dict-item]
        found = await fixture.ask("lamp hall", facets=("folder", "recognised"), k=10)
        folders = {"/srv/a": 3, "/srv/a/deep": 2, "/srv/b": 1}  # not /srv, where all are
        assert _values(found, "folder") == folders
        assert _values(found, "recognised") == {"yes": 1}
        for folder, count in folders.items():
            narrowed = await fixture.ask(f'lamp hall path:"{folder}/*"', k=10, group_by="document")
            assert len(paths(narrowed)) == count, folder
        assert paths(await fixture.ask("lamp hall is:recognised")) == [names[3]]


async def test_uploaded_files_are_one_folder_and_addresses_begin_with_their_host(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as fixture:
        collection = await fixture.collection()
        uploads = [upload_path(collection.id, str(number) * 64, "lamp.txt") for number in range(2)]
        others = ["/srv/lamp.txt", "https://example.org/handbook/lamp.html"]
        texts = {path: [f"Lamp of {path[-70:]}."] for path in [*uploads, *others]}
        await fixture.add(collection, texts)
        found = await fixture.ask("lamp", facets=("folder",), k=10)
        folder = source_path(collection.id)
        assert _values(found, "folder") == {
            folder: 2,
            "/srv": 1,
            "https://example.org": 1,
            "https://example.org/handbook": 1,
        }
        narrowed = await fixture.ask(f'lamp path:"{folder}/*"', k=10)
        assert sorted(paths(narrowed)) == uploads


async def test_facets_are_those_of_all_pages(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as fixture:
        collection = await fixture.collection()
        numbers = range(60)
        texts = {f"/a/{n:03}.txt": [f"Lamp number {n} stands in hall {n % 7}."] for n in numbers}
        await fixture.add(collection, texts)
        known = await fixture.store.documents.by_paths(collection.current, sorted(texts))
        await fixture.store.documents.update_each(
            {one.id: {"tags": [f"hall {at % 7}"]} for at, one in enumerate(known.values())}
        )
        result = await fixture.ask("lamp in hall 3", facets=("tag",), k=100)
        counted = Counter(tag for hit in result.hits for tag in hit.document.tags)
        copies = Counter(tag for hit in result.hits for copy in hit.also_in for tag in copy.document.tags)
        assert _values(result, "tag") == dict(counted + copies)


async def test_a_result_is_sorted_by_what_is_known(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as fixture:
        await _filled(fixture)

        async def order(query: str, **more: Any) -> list[str]:
            result = await fixture.ask(query, group_by="document", **more)
            return [path.rpartition("/")[2].partition(".")[0] for path in paths(result)]

        for query in ("house", "path:/"):
            assert await order(query, sort="date") == ["poem", "boiler", "pump", "tax"]
            assert await order(query, sort="date", descending=True) == ["tax", "pump", "boiler", "poem"]
            assert await order(query, sort="title") == ["poem", "boiler", "pump", "tax"]
            assert await order(query, sort="author") == ["boiler", "pump", "poem", "tax"]
            assert await order(query, sort="tag") == ["boiler", "pump", "tax", "poem"]
            assert await order(query, sort="tag", descending=True) == ["tax", "pump", "boiler", "poem"]
            assert await order(query, sort="path", offset=1, k=2) == ["poem", "pump"]
        both = await fixture.ask("boiler", sort="path", k=10, mode="words")
        assert paths(both)[:2] == ["/a/boiler.pdf"] * 2


async def test_filters_of_metadata(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as fixture:
        await _filled(fixture)

        async def found(query: str) -> set[str]:
            result = await fixture.ask(query, k=50, group_by="document")
            return {path.rpartition("/")[2].partition(".")[0] for path in paths(result)}

        assert await found('author:"ann lee"') == {"boiler", "pump", "poem"}
        assert await found('author:"=Ann Lee"') == {"boiler", "pump"}
        assert await found("author:ek house") == {"boiler", "tax"}
        assert await found("tag:HEATING -tag:gas") == {"pump"}
        assert await found("tag:gas,money") == {"boiler", "tax"}
        assert await found("tag:heat*") == {"boiler", "pump"}
        assert await found("tag:heat") == set()
        assert await found("tag:heating tag:gas") == {"boiler"}
        assert await found("-author:lee path:/") == {"tax"}


async def test_users_give_tags(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as fixture:
        collection = await _filled(fixture)
        service = TagService(fixture.store, Authorizer(fixture.store))
        poem = (await _documents(fixture, collection))["/a/poem.txt"]
        assert await fixture.ask("tag:mine") == await fixture.ask("tag:mine")
        changed = await service.replace(
            fixture.principal, collection.id, poem.id, [" Mine ", "mine", "#winter"]
        )
        assert changed.user_tags == ("Mine", "winter")
        assert paths(await fixture.ask("tag:mine")) == ["/a/poem.txt"]
        assert _values(await fixture.ask("house", facets=("tag",)), "tag")["Mine"] == 1
        await service.replace(fixture.principal, collection.id, poem.id, [])
        assert paths(await fixture.ask("tag:mine")) == []
        for wrong in (["x" * 101], ["a,b"], ["*"], ["tag"] * 101, ["a*"]):
            with pytest.raises(Invalid):
                await service.replace(fixture.principal, collection.id, poem.id, wrong)
