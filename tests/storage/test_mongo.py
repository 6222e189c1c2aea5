"""The store on the embedded MongoDB: uniqueness, leases, locks, paging, and times that survive an update."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from support.embedded_stores import store

from semantik.core.errors import Conflict, LeaseLost, NotFound, Unavailable
from semantik.core.models import (
    Chunk,
    Collection,
    Counts,
    Document,
    Filters,
    Generation,
    Operation,
    Session,
    User,
    new_id,
    now,
)
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store
from semantik.storage.mongo.operations import claimable

pytestmark = pytest.mark.gen_test


def _user(name: str, email: str | None = None) -> User:
    return User(new_id(), name, email, "hash", False, False, now())


def _collection(owner: str, name: str = "Docs") -> Collection:
    key = new_id()
    return Collection(
        id=key, owner_id=owner, name=name, description="", generation=1, generations=(_generation(key),), next_seq=0,
        running=None, created_at=now(), updated_at=now(),
    )  # fmt: skip


def _generation(collection_id: str, number: int = 1) -> Generation:
    return Generation(collection_id, number, "m", "auto", 200, 20)


def _operation(collection: Collection) -> Operation:
    return Operation(
        id=new_id(), collection_id=collection.id, user_id=collection.owner_id, type="index", source_id=None,
        status="queued", stage=None, counts=Counts(), current_file=None, progress_percent=0.0, created_at=now(),
    )  # fmt: skip


async def _seize(it: Store, collection: Collection, fence: str) -> None:
    assert await it.collections.lock(collection.id, "an operation")
    await it.collections.force_lock(collection.id, "an operation", fence)


async def test_users_are_unique_and_found_by_name_and_address_in_any_case(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        bob = _user("Bob", "Bob@example.com")
        await it.users.add(bob)
        assert await it.users.by_login("BOB") == await it.users.by_login("bob@EXAMPLE.com") == bob
        for double in (_user("bOB"), _user("other", "bob@example.COM")):
            with pytest.raises(Conflict):
                await it.users.add(double)


async def test_a_refresh_token_is_rotated_by_one_caller_alone(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        session = Session(new_id(), "u", "first", None, now(), now() + timedelta(hours=1))
        await it.sessions.add(session)
        assert await it.sessions.rotate(session.id, "first", "second")
        assert not await it.sessions.rotate(session.id, "first", "third")
        found = await it.sessions.by_token("first")
        assert found is not None and (found.token_hash, found.expires_at) == ("second", session.expires_at)
        assert await it.sessions.remove_expired(now() + timedelta(hours=2)) == 1


async def test_records_come_back_as_they_were_also_after_updates(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        collection = _collection("u")
        await it.collections.add(collection)
        assert await it.collections.get(collection.id) == collection
        await _seize(it, collection, "fence")
        await it.collections.set_counts(collection.current, Counts(indexed=3, chunks=9), "fence")
        again = await it.collections.get(collection.id)
        assert again is not None and again.current.counts.chunks == 9
        assert again.updated_at >= collection.updated_at  # a datetime still, and not a text
        operation = _operation(collection)
        await it.operations.add(operation)
        claimed = await it.operations.claim(operation, "me", 10)
        assert claimed is not None
        saved = await it.operations.save(
            claimed, {"started_at": now(), "warnings": ["one"], "announced": True}
        )
        assert saved == await it.operations.get(operation.id)
        assert saved.announced is True and saved.warnings == ("one",)
        assert saved.started_at is not None and saved.started_at >= saved.created_at


async def test_names_are_unique_for_an_owner_and_free_again_after_deletion(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        first = _collection("u")
        await it.collections.add(first)
        await it.collections.add(_collection("another"))
        with pytest.raises(Conflict, match="choose another"):
            await it.collections.add(_collection("u", "DOCS"))
        other = _collection("u", "Other")
        await it.collections.add(other)
        with pytest.raises(Conflict):
            await it.collections.update(other.id, {"name": "docs"})
        await it.collections.mark_deleted(first.id)
        assert await it.collections.get(first.id) is None
        assert await it.collections.deleted_ids() == [first.id]
        await it.collections.add(_collection("u"))
        with pytest.raises(NotFound):
            await it.collections.update(first.id, {"name": "x"})


async def test_seqs_are_given_out_once_and_what_may_be_found_never_shrinks(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        collection = _collection("u")
        await it.collections.add(collection)
        await _seize(it, collection, "mine")
        assert [await it.collections.allocate_seqs(collection.id, 5, "mine") for _ in range(3)] == [0, 5, 10]
        await it.collections.set_last_seq(collection.current, 9, "mine")
        await it.collections.set_last_seq(collection.current, 4, "mine")
        found = await it.collections.get(collection.id)
        assert found is not None and found.current.last_seq == 9


async def test_who_has_lost_a_collection_changes_none_of_its_chunks(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        collection = _collection("u")
        await it.collections.add(collection)
        await _seize(it, collection, "1 old")
        await _seize(it, collection, "2 new")
        with pytest.raises(LeaseLost):
            await it.collections.force_lock(collection.id, "an operation", "1 old")
        with pytest.raises(LeaseLost):
            await it.collections.force_lock(collection.id, "the one before", "3")
        collections, generation = it.collections, collection.current
        for change in (
            collections.allocate_seqs(collection.id, 5, "1 old"),
            collections.set_last_seq(generation, 9, "1 old"),
            collections.set_settled_seq(generation, 9, "1 old"),
            collections.set_counts(generation, Counts(indexed=1), "1 old"),
            collections.add_generation(_generation(collection.id, 2), "1 old"),
            collections.switch_generation(_generation(collection.id, 2), 0, "1 old"),
        ):
            with pytest.raises(LeaseLost):
                await change
        assert await collections.get(collection.id) == replace(collection, running="an operation")


async def test_generations_stand_side_by_side_until_one_is_searched_instead(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        collection = _collection("u")
        await it.collections.add(collection)
        await _seize(it, collection, "f")
        second = _generation(collection.id, 2)
        both = await it.collections.add_generation(second, "f")
        assert both.staging == second and both.current == collection.current
        await it.collections.set_last_seq(second, 7, "f")
        changed = await it.collections.switch_generation(second, 0, "f")
        assert changed.staging is None and changed.current.last_seq == 7
        await it.collections.drop_generation(changed.current)  # what is searched stays
        [retired] = await it.collections.with_retired_generations()
        assert retired.generations == changed.generations
        await it.collections.drop_generation(collection.current)
        await it.collections.clear_retirement(retired)
        last = await it.collections.get(collection.id)
        assert last is not None and last.generations == (changed.current,)
        assert await it.collections.with_retired_generations() == []


async def test_a_collection_is_held_by_one_operation(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        collection = _collection("u")
        await it.collections.add(collection)
        assert await it.collections.lock(collection.id, "a")
        assert await it.collections.lock(collection.id, "a")  # again, after a crash
        assert not await it.collections.lock(collection.id, "b")
        await it.collections.unlock(collection.id, "b")
        assert not await it.collections.lock(collection.id, "b")
        await it.collections.unlock(collection.id, "a")
        assert await it.collections.lock(collection.id, "b")


async def test_a_robbed_owner_can_write_no_more(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        operation = _operation(_collection("u"))
        await it.operations.add(operation)
        mine = await it.operations.claim(operation, "me", 0)
        assert mine is not None
        assert await it.operations.claim(operation, "you", 10) is None  # as it was read, it is no more
        assert claimable(mine, "me", set()) and not claimable(mine, "me", {mine.id})
        renewed = await it.operations.renew_lease(mine, 1)
        assert await it.operations.claim(mine, "you", 10) is None  # its owner lives
        mine = renewed
        yours = await it.operations.claim(mine, "you", 10)
        assert yours is not None and not claimable(yours, "me", set())
        with pytest.raises(LeaseLost):
            await it.operations.save(mine, {"stage": "stolen"})
        with pytest.raises(LeaseLost):
            await it.operations.renew_lease(mine, 10)
        assert (await it.operations.save(yours, {"stage": "mine"})).stage == "mine"


async def test_documents_are_paged_counted_and_found_by_part_of_their_name(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        generation = _generation("c")
        made = [
            Document(new_id(), "c", 1, "s", "o", f"/a/File{number:04}.txt", 1, 1, "pending", "o", "mine")
            for number in range(1203)
        ]
        await it.documents.register(made)
        assert len(await it.documents.by_paths(generation, [d.path for d in made[:300]] + ["/other"])) == 300
        with pytest.raises(Unavailable):  # which is tried again, where a Conflict would end the operation
            await it.documents.register([made[0]])
        ends = {
            d.id: {"status": "indexed", "chunk_count": 2, "first_seq": 2 * n}
            for n, d in enumerate(made[:100])
        }
        await it.documents.save_outcomes(ends, "o", "of somebody who has lost the operation")
        assert (await it.documents.counts({"operation_id": "o"})).pending == 1203
        await it.documents.save_outcomes(ends, "o", "mine")
        assert await it.documents.counts({"operation_id": "o"}) == Counts(
            pending=1103, indexed=100, chunks=200
        )
        pending = [d.path async for page in it.documents.due("o") for d in page]
        assert pending == [d.path for d in made[100:]]
        named = await it.documents.page(generation, "indexed", "file001", "", 50)
        assert [d.path for d in named] == [d.path for d in made[10:20]]
        pages = [
            await it.documents.page(generation, "pending", name, made[150].path, 2) for name in (None, "5")
        ]
        assert [[d.path for d in page] for page in pages] == [
            [made[151].path, made[152].path],
            [made[151].path, made[152].path],
        ]
        assert await it.documents.page(_generation("c", 2), "pending", None, "", 2) == []
        assert await it.documents.any_due(generation) and not await it.documents.any_due(_generation("d"))


async def test_a_part_of_a_name_is_found_whatever_its_case_and_letters(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        paths = ["/a/100 $ a.b", "/a/ÄPFEL.txt", "/a/Notes (old).TXT"]
        await it.documents.register(
            [Document(new_id(), "c", 1, "s", "o", path, 1, 1, "indexed") for path in paths]
        )
        for name, path in (("$ A.", 0), ("äpfel", 1), ("(OLD).t", 2)):
            [found] = await it.documents.page(_generation("c"), None, name, "", 9)
            assert found.path == paths[path]
        assert await it.documents.page(_generation("c"), None, "a-b", "", 9) == []


async def test_the_documents_of_a_folder_are_those_in_it_and_not_below_it(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        names = ["a", "b/x", "b/y/z", "b0", "c", "d/1"]
        paths = [f"/r/{name}" for name in names] + ["/r0", "/q/a"]
        paths += [f"/r/b/{number:04}" for number in range(600)]
        await it.documents.register(
            [Document(new_id(), "c", 1, "s", "o", path, 1, 1, "indexed") for path in paths]
        )
        for folder, expected in (("/r", ["/r/a", "/r/b0", "/r/c"]), ("/r/b/y", ["/r/b/y/z"]), ("/", ["/r0"])):
            found = [
                d.path async for page in it.documents.of_folder(_generation("c"), "s", folder) for d in page
            ]
            assert found == expected


async def test_what_a_scan_saw_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        generation = _generation("c")
        saw = {f"/r/{number}": number.to_bytes(16) for number in range(20_001)} | {"/r/again": b""}
        await it.folder_digests.put(generation, "s", saw)
        assert await it.folder_digests.get(generation, "s") == saw
        assert await it.folder_digests.get(_generation("c", 2), "s") is None
        await it.folder_digests.put(generation, "empty", {})
        assert await it.folder_digests.get(generation, "empty") == {}
        await it.folder_digests.remove(["s"])
        assert await it.folder_digests.get(generation, "s") is None
        await it.folder_digests.remove_all("c")
        assert await it.folder_digests.get(generation, "empty") is None


async def test_what_concerns_many_documents_is_done_in_pages_and_to_all_of_them(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        generation, other = _generation("c"), _generation("c", 2)
        for number in range(0, 4500, 500):
            await it.documents.register(
                [
                    Document(new_id(), "c", 1, "s", "o", f"/a/{number + n:04}", 1, 1, "pending", "o", "mine")
                    for n in range(500)
                ]
            )
        elsewhere = Document(new_id(), "c", 2, "s", "o", "/a/0000", 1, 1, "pending", "o", "mine")
        await it.documents.register([elsewhere])
        await it.documents.reassign_due(generation, "s", "p", "theirs")
        assert await it.documents.due_by_operation(generation) == {"p": 4500}
        assert await it.documents.due_by_operation(other) == {"o": 1}
        every = [one async for page in it.documents.of_generation(generation) for one in page]
        assert {one.fence for one in every} == {"theirs"}
        await it.documents.save_outcomes({one.id: {"status": "failed"} for one in every}, "p", "theirs")
        await it.documents.mark_for_retry(generation, [every[0].id, elsewhere.id], "q", "third")
        assert await it.documents.due_by_operation(generation) == {"q": 1}
        await it.documents.mark_for_retry(generation, None, "r", "fourth")
        assert await it.documents.due_by_operation(generation) == {"r": 4500}
        held = {
            one.id: {"status": "indexed", "first_seq": 2 * n, "chunk_count": 2} for n, one in enumerate(every)
        }
        await it.documents.save_outcomes(held, "r", "fourth")
        spans = await it.documents.spans(generation, Filters())
        assert sorted(map(tuple, spans.tolist())) == [(2 * n, 2 * n + 2) for n in range(4500)]
        assert (await it.documents.spans(other, Filters())).shape == (0, 2)
        await it.documents.remove("c", 1)
        assert (await it.documents.counts_of(generation)).total == 0
        assert (await it.documents.counts_of(other)).total == 1
        await it.documents.remove("c")
        assert (await it.documents.counts_of(other)).total == 0


async def test_vectors_come_back_bit_by_bit_and_leftovers_are_seen(tmp_path: Path) -> None:
    async with store(tmp_path) as it:
        chunks = [Chunk(n, f"d{n // 3}", f"text {n}", 10 * n, 10 * n + 8, None, None) for n in range(3000)]
        vectors = np.random.default_rng(1).standard_normal((3000, 16)).astype(np.float16)
        generation = _generation("c")
        await it.chunks.add(generation, zip(chunks, vectors, strict=True))
        seen = [block async for block in it.chunks.vectors(generation, 9, 2500)]
        assert np.concatenate([b.seqs for b in seen]).tolist() == list(range(10, 2501))
        assert np.array_equal(np.concatenate([b.vectors for b in seen]), vectors[10:2501])
        assert (await it.chunks.by_seqs("c", [7, 2999, 5000]))[7] == chunks[7]
        document = Document("d2", "c", 1, "s", "o", "/a", 1, 1, "indexed", first_seq=6, chunk_count=3)
        assert [c.seq for c in await it.chunks.of_document(document, 65, 75)] == [6, 7]
        assert [
            c.seq for page in [p async for p in it.chunks.pages_with_vectors(document)] for c, _ in page
        ] == [
            6,
            7,
            8,
        ]
        assert await it.chunks.spans_after(generation, 2993) == {"d998": (2994, 3), "d999": (2997, 3)}
        await it.chunks.remove_spans("c", [(2000, 3000), (10, 2000)])
        assert list(await it.chunks.by_seqs("c", [9, 10, 2000])) == [9]


async def test_a_search_reads_the_same_from_either_store(tmp_path: Path) -> None:
    async with (
        data_lock(tmp_path) as lock,
        embedded(tmp_path, True, False, lock) as stores,
        Store(stores.mongo_url, "test", stores.mongo_reads_url) as quick,
        Store(stores.mongo_url, "test") as plain,
    ):
        document = Document(new_id(), "c", 1, "s", "o", "/a", 1, 1, "indexed", first_seq=0, chunk_count=2)
        await plain.documents.register([document])
        chunks = [
            Chunk(0, document.id, "‘Übersicht’", 0, 11, 3, "Guide › Install"),
            Chunk(1, document.id, "two", 12, 15, None, None),
            Chunk(2, new_id(), "of a document that is gone", 0, 26, None, None),
        ]
        vectors = np.ones((3, 16), np.float16)
        await plain.chunks.add(_generation("c"), zip(chunks, vectors, strict=True))
        there, gone = _collection("there"), _collection("gone")
        for each in (there, gone):
            await plain.collections.add(each)
        await plain.collections.mark_deleted(gone.id)
        passages = [("c", seq) for seq in (2, 1, 0, 7)]
        expected = {
            ("c", 0): (chunks[0], document),
            ("c", 1): (chunks[1], document),
            ("c", 2): (chunks[2], None),
        }
        for it in (quick, plain):
            read = it.search_reads.read
            assert await read(passages, [there.id, gone.id, "none"]) == (expected, {there.id: there})
            assert await read(passages, []) == (expected, {})
            assert await read([], [there.id]) == ({}, {there.id: there})
            assert await read([], []) == ({}, {})
        await plain.documents.register([replace(document, id=chunks[2].document_id, path="/b")])
        found, _ = await quick.search_reads.read([("c", 2)], [])
        assert found["c", 2][1] is not None
