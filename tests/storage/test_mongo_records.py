"""Users, sessions, collections and operations in MongoDB: uniqueness, locks, fences and leases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.embedded_stores import store
from support.mongo_records import new_collection, new_generation

from semantik.core.errors import Conflict, LeaseLost, NotFound
from semantik.core.models import Collection, Counts, Operation, Session, SignInPlace, User, new_id, now
from semantik.storage.mongo import Store
from semantik.storage.mongo.operations import claimable

pytestmark = pytest.mark.gen_test


def _user(name: str, email: str | None = None) -> User:
    return User(new_id(), name, email, "hash", False, False, now())


def _operation(collection: Collection) -> Operation:
    return Operation(
        id=new_id(), collection_id=collection.id, user_id=collection.owner_id, type="index", source_id=None,
        status="queued", stage=None, counts=Counts(), current_file=None, progress_percent=0.0, created_at=now(),
    )  # fmt: skip


async def _force_lock(db: Store, collection: Collection, fence: str) -> None:
    assert await db.collections.lock(collection.id, "an operation")
    await db.collections.force_lock(collection.id, "an operation", fence)


async def test_user_names_and_addresses_are_unique_and_case_insensitive(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        bob = _user("Bob", "Bob@example.com")
        await db.users.add(bob)
        assert await db.users.by_login("BOB") == await db.users.by_login("bob@EXAMPLE.com") == bob
        for duplicate in (_user("bOB"), _user("other", "bob@example.COM")):
            with pytest.raises(Conflict):
                await db.users.add(duplicate)


async def test_a_session_is_rotated_only_once(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        session = Session(new_id(), "u", now(), now() + timedelta(hours=1), place=SignInPlace("::1", "curl"))
        await db.sessions.add(session)
        session = await db.sessions.latest(session.id)
        renewed = await db.sessions.rotate(session, now())
        assert (renewed.generation, renewed.place, renewed.expires_at) == (
            1,
            session.place,
            session.expires_at,
        )
        assert await db.sessions.rotate(session, now()) is None
        assert await db.sessions.latest(session.id) == renewed
        assert await db.sessions.remove_expired(now() + timedelta(hours=2)) == 1


async def test_records_keep_their_types_through_updates(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        collection = new_collection("u")
        await db.collections.add(collection)
        assert await db.collections.get(collection.id) == collection
        await _force_lock(db, collection, "fence")
        await db.collections.set_counts(collection.current, Counts(indexed=3, chunks=9), "fence")
        updated = await db.collections.get(collection.id)
        assert updated is not None and updated.current.counts.chunks == 9
        assert updated.updated_at >= collection.updated_at  # still a datetime, not a string
        operation = _operation(collection)
        await db.operations.add(operation)
        claimed = await db.operations.claim(operation, "me", 10)
        assert claimed is not None
        saved = await db.operations.save(
            claimed, {"started_at": now(), "warnings": ["one"], "announced": True}
        )
        assert saved == await db.operations.get(operation.id)
        assert saved.announced is True and saved.warnings == ("one",)
        assert saved.started_at is not None and saved.started_at >= saved.created_at


async def test_collection_names_are_unique_per_owner_until_deletion(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        first = new_collection("u")
        await db.collections.add(first)
        await db.collections.add(new_collection("another"))
        with pytest.raises(Conflict, match="choose another"):
            await db.collections.add(new_collection("u", "DOCS"))
        other = new_collection("u", "Other")
        await db.collections.add(other)
        with pytest.raises(Conflict):
            await db.collections.update(other.id, {"name": "docs"})
        await db.collections.mark_deleted(first.id)
        assert await db.collections.get(first.id) is None
        assert await db.collections.deleted_ids() == [first.id]
        await db.collections.add(new_collection("u"))
        with pytest.raises(NotFound):
            await db.collections.update(first.id, {"name": "x"})


async def test_seqs_are_allocated_once_and_the_last_seq_never_decreases(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        collection = new_collection("u")
        await db.collections.add(collection)
        await _force_lock(db, collection, "mine")
        assert [await db.collections.allocate_seqs(collection.id, 5, "mine") for _ in range(3)] == [0, 5, 10]
        await db.collections.set_last_seq(collection.current, 9, "mine")
        await db.collections.set_last_seq(collection.current, 4, "mine")
        found = await db.collections.get(collection.id)
        assert found is not None and found.current.last_seq == 9


async def test_an_outdated_fence_cannot_change_a_collection(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        collection = new_collection("u")
        await db.collections.add(collection)
        await _force_lock(db, collection, "1 old")
        await _force_lock(db, collection, "2 new")
        with pytest.raises(LeaseLost):
            await db.collections.force_lock(collection.id, "an operation", "1 old")
        with pytest.raises(LeaseLost):
            await db.collections.force_lock(collection.id, "the one before", "3")
        collections, generation = db.collections, collection.current
        for change in (
            collections.allocate_seqs(collection.id, 5, "1 old"),
            collections.set_last_seq(generation, 9, "1 old"),
            collections.set_settled_seq(generation, 9, "1 old"),
            collections.set_counts(generation, Counts(indexed=1), "1 old"),
            collections.add_generation(new_generation(collection.id, 2), "1 old"),
            collections.switch_generation(new_generation(collection.id, 2), 0, "1 old"),
        ):
            with pytest.raises(LeaseLost):
                await change
        assert await collections.get(collection.id) == replace(collection, running="an operation")


async def test_two_generations_coexist_until_the_switch_retires_one(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        collection = new_collection("u")
        await db.collections.add(collection)
        await _force_lock(db, collection, "f")
        second = new_generation(collection.id, 2)
        both = await db.collections.add_generation(second, "f")
        assert both.staging == second and both.current == collection.current
        await db.collections.set_last_seq(second, 7, "f")
        changed = await db.collections.switch_generation(second, 0, "f")
        assert changed.staging is None and changed.current.last_seq == 7
        await db.collections.drop_generation(changed.current)  # the searched generation stays
        [retired] = await db.collections.with_retired_generations()
        assert retired.generations == changed.generations
        await db.collections.drop_generation(collection.current)
        await db.collections.clear_retirement(retired)
        last = await db.collections.get(collection.id)
        assert last is not None and last.generations == (changed.current,)
        assert await db.collections.with_retired_generations() == []


async def test_a_collection_is_locked_by_one_operation(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        collection = new_collection("u")
        await db.collections.add(collection)
        assert await db.collections.lock(collection.id, "a")
        assert await db.collections.lock(collection.id, "a")  # allowed again, for the restart after a crash
        assert not await db.collections.lock(collection.id, "b")
        await db.collections.unlock(collection.id, "b")
        assert not await db.collections.lock(collection.id, "b")
        await db.collections.unlock(collection.id, "a")
        assert await db.collections.lock(collection.id, "b")


async def test_writes_fail_after_a_lease_takeover(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        operation = _operation(new_collection("u"))
        await db.operations.add(operation)
        mine = await db.operations.claim(operation, "me", 0)
        assert mine is not None
        assert await db.operations.claim(operation, "you", 10) is None  # the record read is stale
        assert claimable(mine, "me", set()) and not claimable(mine, "me", {mine.id})
        renewed = await db.operations.renew_lease(mine, 1)
        assert await db.operations.claim(mine, "you", 10) is None  # the lease was renewed
        mine = renewed
        yours = await db.operations.claim(mine, "you", 10)
        assert yours is not None and not claimable(yours, "me", set())
        with pytest.raises(LeaseLost):
            await db.operations.save(mine, {"stage": "stolen"})
        with pytest.raises(LeaseLost):
            await db.operations.renew_lease(mine, 10)
        assert (await db.operations.save(yours, {"stage": "mine"})).stage == "mine"
