"""Documents, folder digests, chunks and vectors in MongoDB: paging, name filters, and the reads of a search."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.embedded_stores import store
from support.mongo_records import new_collection, new_generation

from semantik.core.errors import Unavailable
from semantik.core.models import Chunk, Counts, Document, Filters, new_id
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store

pytestmark = pytest.mark.gen_test


async def test_documents_are_paged_counted_and_filtered_by_name(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        generation = new_generation("c")
        made = [
            Document(new_id(), "c", 1, "s", "o", f"/a/File{number:04}.txt", 1, 1, "pending", "o", "mine")
            for number in range(1203)
        ]
        await db.documents.register(made)
        assert len(await db.documents.by_paths(generation, [d.path for d in made[:300]] + ["/other"])) == 300
        await db.documents.register(
            made[-2:]
        )  # the driver sends again what was answered late: it is there already
        with pytest.raises(Unavailable):  # retried by the operation; a Conflict would end it
            await db.documents.register([replace(made[0], id=new_id())])
        outcomes = {
            d.id: {"status": "indexed", "chunk_count": 2, "first_seq": 2 * n}
            for n, d in enumerate(made[:100])
        }
        await db.documents.save_outcomes(outcomes, "o", "of an outdated fence")
        assert (await db.documents.counts({"operation_id": "o"})).pending == 1203
        await db.documents.save_outcomes(outcomes, "o", "mine")
        assert await db.documents.counts({"operation_id": "o"}) == Counts(
            pending=1103, indexed=100, chunks=200
        )
        pending = [d.path async for page in db.documents.due("o") for d in page]
        assert pending == [d.path for d in made[100:]]
        named = await db.documents.page(generation, "indexed", "file001", "", 50)
        assert [d.path for d in named] == [d.path for d in made[10:20]]
        pages = [
            await db.documents.page(generation, "pending", name, made[150].path, 2) for name in (None, "5")
        ]
        assert [[d.path for d in page] for page in pages] == [
            [made[151].path, made[152].path],
            [made[151].path, made[152].path],
        ]
        assert await db.documents.page(new_generation("c", 2), "pending", None, "", 2) == []
        assert await db.documents.any_due(generation) and not await db.documents.any_due(new_generation("d"))


async def test_the_name_filter_ignores_case_and_escapes_special_characters(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        paths = ["/a/100 $ a.b", "/a/ÄPFEL.txt", "/a/Notes (old).TXT"]
        await db.documents.register(
            [Document(new_id(), "c", 1, "s", "o", path, 1, 1, "indexed") for path in paths]
        )
        for name, path in (("$ A.", 0), ("äpfel", 1), ("(OLD).t", 2)):
            [found] = await db.documents.page(new_generation("c"), None, name, "", 9)
            assert found.path == paths[path]
        assert await db.documents.page(new_generation("c"), None, "a-b", "", 9) == []


async def test_folder_digests_are_stored_and_removed_per_source(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        generation = new_generation("c")
        digests = {f"/r/{number}": number.to_bytes(16) for number in range(20_001)} | {"/r/again": b""}
        await db.folder_digests.put(generation, "s", digests)
        assert await db.folder_digests.get(generation, "s") == digests
        assert await db.folder_digests.get(new_generation("c", 2), "s") is None
        await db.folder_digests.put(generation, "empty", {})
        assert await db.folder_digests.get(generation, "empty") == {}
        await db.folder_digests.remove(["s"])
        assert await db.folder_digests.get(generation, "s") is None
        await db.folder_digests.remove_all("c")
        assert await db.folder_digests.get(generation, "empty") is None


async def test_bulk_updates_reach_every_page_of_documents(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        generation, other = new_generation("c"), new_generation("c", 2)
        for number in range(0, 4500, 500):
            await db.documents.register(
                [
                    Document(new_id(), "c", 1, "s", "o", f"/a/{number + n:04}", 1, 1, "pending", "o", "mine")
                    for n in range(500)
                ]
            )
        elsewhere = Document(new_id(), "c", 2, "s", "o", "/a/0000", 1, 1, "pending", "o", "mine")
        await db.documents.register([elsewhere])
        await db.documents.reassign_due(generation, "s", "p", "theirs")
        assert await db.documents.due_by_operation(generation) == {"p": 4500}
        assert await db.documents.due_by_operation(other) == {"o": 1}
        documents = [one async for page in db.documents.of_generation(generation) for one in page]
        assert {one.fence for one in documents} == {"theirs"}
        await db.documents.save_outcomes({one.id: {"status": "failed"} for one in documents}, "p", "theirs")
        await db.documents.mark_for_retry(generation, [documents[0].id, elsewhere.id], "q", "third")
        assert await db.documents.due_by_operation(generation) == {"q": 1}
        await db.documents.mark_for_retry(generation, None, "r", "fourth")
        assert await db.documents.due_by_operation(generation) == {"r": 4500}
        held = {
            one.id: {"status": "indexed", "first_seq": 2 * n, "chunk_count": 2}
            for n, one in enumerate(documents)
        }
        await db.documents.save_outcomes(held, "r", "fourth")
        spans = await db.documents.spans(generation, Filters())
        assert sorted(map(tuple, spans.tolist())) == [(2 * n, 2 * n + 2) for n in range(4500)]
        assert (await db.documents.spans(other, Filters())).shape == (0, 2)
        await db.documents.remove("c", 1)
        assert (await db.documents.counts_of(generation)).total == 0
        assert (await db.documents.counts_of(other)).total == 1
        await db.documents.remove("c")
        assert (await db.documents.counts_of(other)).total == 0


async def test_vectors_are_stored_exactly_and_spans_after_a_seq_are_listed(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        chunks = [Chunk(n, f"d{n // 3}", f"text {n}", 10 * n, 10 * n + 8, None, None) for n in range(3000)]
        vectors = np.random.default_rng(1).standard_normal((3000, 16)).astype(np.float16)
        generation = new_generation("c")
        await db.chunks.add(generation, zip(chunks, vectors, strict=True))
        seen = [block async for block in db.chunks.vectors(generation, 9, 2500)]
        assert np.concatenate([b.seqs for b in seen]).tolist() == list(range(10, 2501))
        assert np.array_equal(np.concatenate([b.vectors for b in seen]), vectors[10:2501])
        assert (await db.chunks.by_seqs("c", [7, 2999, 5000]))[7] == chunks[7]
        document = Document("d2", "c", 1, "s", "o", "/a", 1, 1, "indexed", first_seq=6, chunk_count=3)
        assert [c.seq for c in await db.chunks.of_document(document, 65, 75)] == [6, 7]
        assert [
            c.seq for page in [p async for p in db.chunks.pages_with_vectors(document)] for c, _ in page
        ] == [
            6,
            7,
            8,
        ]
        assert await db.chunks.spans_after(generation, 2993) == {"d998": (2994, 3), "d999": (2997, 3)}
        await db.chunks.remove_spans("c", [(2000, 3000), (10, 2000)])
        assert list(await db.chunks.by_seqs("c", [9, 10, 2000])) == [9]


async def test_search_reads_are_the_same_from_both_stores(tmp_path: Path) -> None:
    async with (
        data_lock(tmp_path) as lock,
        embedded(tmp_path, True, False, lock) as stores,
        Store(stores.mongo_url, "test", stores.mongo_reads_url) as by_reader,
        Store(stores.mongo_url, "test") as by_mongo,
    ):
        document = Document(new_id(), "c", 1, "s", "o", "/a", 1, 1, "indexed", first_seq=0, chunk_count=2)
        await by_mongo.documents.register([document])
        chunks = [
            Chunk(0, document.id, "‘Übersicht’", 0, 11, 3, "Guide › Install"),
            Chunk(1, document.id, "two", 12, 15, None, None),
            Chunk(2, new_id(), "of a document that is gone", 0, 26, None, None),
        ]
        vectors = np.ones((3, 16), np.float16)
        await by_mongo.chunks.add(new_generation("c"), zip(chunks, vectors, strict=True))
        existing, deleted = new_collection("there"), new_collection("gone")
        for each in (existing, deleted):
            await by_mongo.collections.add(each)
        await by_mongo.collections.mark_deleted(deleted.id)
        keys = [("c", seq) for seq in (2, 1, 0, 7)]
        expected = {
            ("c", 0): (chunks[0], document),
            ("c", 1): (chunks[1], document),
            ("c", 2): (chunks[2], None),
        }
        for db in (by_reader, by_mongo):
            read = db.search_reads.read
            assert await read(keys, [existing.id, deleted.id, "none"]) == (expected, {existing.id: existing})
            assert await read(keys, []) == (expected, {})
            assert await read([], [existing.id]) == ({}, {existing.id: existing})
            assert await read([], []) == ({}, {})
        await by_mongo.documents.register([replace(document, id=chunks[2].document_id, path="/b")])
        found, _ = await by_reader.search_reads.read([("c", 2)], [])
        assert found["c", 2][1] is not None


async def test_later_tags_of_users_reach_a_new_generation(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        collection = new_collection("u")
        old, new = new_generation(collection.id), new_generation(collection.id, 2)
        both = [
            Document(new_id(), collection.id, number, "s", "o", f"/a/{name}", 1, 1, "indexed")
            for number in (1, 2)
            for name in ("early", "late", "none")
        ]
        await db.documents.register(both)
        early, late, _, *others = both
        await db.documents.set_user_tags(collection, early, ["one"], 100)
        await db.documents.set_user_tags(collection, late, ["two"], 100)
        await db.documents.set_user_tags(collection, others[1], ["three"], 200)  # while the new one is built
        await db.documents.copy_user_tags(old, new)
        await db.documents.copy_user_tags(old, new)
        tags = {one.path: one.user_tags async for page in db.documents.of_generation(new) for one in page}
        assert tags == {"/a/early": ("one",), "/a/late": ("three",), "/a/none": ()}
        staged = replace(collection, generations=(old, new))
        await db.documents.set_user_tags(staged, late, ["four"], 300)
        assert {one.user_tags for one in (await db.documents.by_ids([late.id, others[1].id])).values()} == {
            ("four",)
        }
