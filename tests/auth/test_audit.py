"""The audit trail on a store of its own: the queue, equal refusals, names that were typed, filters, and removal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.embedded_stores import store
from support.principals import principal

from semantik.auth.audit import LOST, AuditLog
from semantik.auth.refusals import FURTHER, RefusalCounter
from semantik.config.audit_settings import AuditSettings
from semantik.core.errors import Forbidden, Invalid
from semantik.core.models import AuditEvent, AuditFilter, now
from semantik.storage.mongo import Store

pytestmark = pytest.mark.gen_test
SIGNED_IN = replace(
    principal("Ann"), user=replace(principal("Ann").user, email="ann@example.com", is_admin=True)
)
ANN = SIGNED_IN.user


@asynccontextmanager
async def _opened(folder: Path, **settings: int) -> AsyncIterator[tuple[Store, AuditLog]]:
    async with store(folder) as mongo:
        await mongo.users.add(ANN)
        yield mongo, AuditLog(mongo, lambda: AuditSettings(**settings))


def _record(audit: AuditLog, action: str = "collection.delete", address: str = "::1", **more: object) -> None:
    given = {"principal": SIGNED_IN, "request_id": "r1", **more}
    audit.record(action, address=address, **given)  # type: ignore[arg-type]


async def _listed(mongo: Store, **only: object) -> list[AuditEvent]:
    return await mongo.audit.page(AuditFilter(**only), None, 1000)  # type: ignore[arg-type]


async def test_events_are_written_in_order_and_found_by_each_filter(tmp_path: Path) -> None:
    async with _opened(tmp_path) as (mongo, audit):
        async with audit:
            _record(audit, target="collections/1", details={"name": "x" * 1000})
            _record(audit, "collection.create", "10.0.0.1", target="collections/2", request_id="r2")
            _record(audit, "session.sign_in", principal=None, outcome="refused", details={"status": 401})
        first, second, third = reversed(await _listed(mongo))
        assert (first.user_id, first.username, first.details) == (ANN.id, "Ann", {"name": "x" * 500})
        assert first.credential.startswith("session:")
        assert (third.user_id, third.username, third.credential) == (None, "", "")
        assert await _listed(mongo, action="collection") == [second, first]
        assert await _listed(mongo, action="collection.create") == [second]
        for field in ("address", "request_id", "target", "outcome"):
            assert await _listed(
                mongo, **{field: getattr(third if field == "outcome" else second, field)}
            ) == [third if field == "outcome" else second]
        assert await _listed(mongo, since=now() + timedelta(minutes=1)) == []
        assert len(await _listed(mongo, since=first.at, until=now() + timedelta(minutes=1))) == 3
        assert await _listed(mongo, until=first.at) == []


async def test_pages_follow_one_another_and_only_administrators_read_them(tmp_path: Path) -> None:
    async with _opened(tmp_path) as (_, audit):
        async with audit:
            for number in range(5):
                _record(audit, target=f"collections/{number}")
        ann, everything = SIGNED_IN, AuditFilter()
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = await audit.page(ann, everything, "ann@example.com", cursor, 2)
            seen += [event.target for event in page.items]
            if (cursor := page.next_cursor) is None:
                break
        assert seen == [f"collections/{number}" for number in (4, 3, 2, 1, 0)]
        assert len((await audit.page(ann, everything, ANN.id, None, 10)).items) == 5
        assert (await audit.page(ann, everything, "nobody", None, 10)).items == ()
        with pytest.raises(Invalid, match="cursor"):
            await audit.page(ann, everything, None, "x", 10)
        with pytest.raises(Forbidden):
            await audit.page(principal("bob"), everything, None, None, 10)


async def test_what_was_typed_as_a_name_is_recorded_only_if_a_user_has_it(tmp_path: Path) -> None:
    async with _opened(tmp_path) as (mongo, audit):
        async with audit:
            for login in (" ANN@example.com ", "my secret password"):
                _record(audit, "session.sign_in", principal=None, outcome="refused", details={"login": login})
            _record(audit, "session.sign_in", principal=None, details={"login": "ann"})
        refused, unknown, done = reversed(await _listed(mongo))
        assert (refused.user_id, refused.target) == (None, f"users/{ANN.id}")
        assert refused.details == {"username": "Ann"}
        assert unknown.details == {"unknown_user": True} and "secret" not in repr(unknown)
        assert (done.user_id, done.username, done.details) == (ANN.id, "Ann", {})


async def test_a_full_queue_counts_what_it_loses(tmp_path: Path) -> None:
    async with _opened(tmp_path, queue_events=100) as (mongo, audit):
        async with audit:
            for number in range(150):
                _record(audit, target=f"{number}")
        assert [event.target for event in await _listed(mongo)] == [str(n) for n in reversed(range(100))]
        async with audit:
            _record(audit, target="later")
        later, lost = (await _listed(mongo))[:2]
        assert (later.target, lost.action, lost.details) == ("later", LOST, {"events": 50})


async def test_events_that_were_written_before_are_not_written_twice(tmp_path: Path) -> None:
    async with _opened(tmp_path) as (mongo, audit):
        async with audit:
            _record(audit, target="a")
            _record(audit, target="b")
        events = await _listed(mongo)
        await mongo.audit.add([events[0], *events[1:]])
        assert await _listed(mongo) == events


async def test_events_are_removed_after_their_time(tmp_path: Path) -> None:
    async with _opened(tmp_path) as (mongo, audit):
        async with audit:
            _record(audit)
        await mongo.audit.remove_before(now() - timedelta(days=1))
        assert len(await _listed(mongo)) == 1
        assert (await mongo.audit.size_before(now() + timedelta(days=1))).rows == 1
        await mongo.audit.remove_before(now() + timedelta(days=1))
        assert await _listed(mongo) == []


def _refusal(address: str, target: str) -> AuditEvent:
    return AuditEvent("", now(), "access.read", "refused", None, "", "", address, "r", target)


async def test_refusals_that_repeat_become_one_event_with_their_number() -> None:
    clock = [0.0]
    refusals = RefusalCounter(lambda: 30, lambda: clock[0])
    assert [refusals.admit(_refusal("a", "x")) for _ in range(5)] == [True, False, False, False, False]
    assert sum(refusals.admit(_refusal("a", f"{n}")) for n in range(1000)) == 19  # of one address
    assert sum(refusals.admit(_refusal(f"{n}", "x")) for n in range(1000)) == 10  # in all
    assert refusals.ended() == []
    clock[0] = 61.0
    ended = {(event.action, event.address): event.details["repeated"] for event in refusals.ended()}
    assert ended == {("access.read", "a"): 4, (FURTHER, "a"): 981, (FURTHER, ""): 990}
    assert refusals.admit(_refusal("a", "x"))
