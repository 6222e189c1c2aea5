"""Signing keys: created once for all servers, replaced with overlap, revoked; and configured ones."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.embedded_stores import store

from semantik.auth.signing_keys import SigningKeys
from semantik.auth.tokens import Tokens
from semantik.config.settings import AuthSettings
from semantik.core.errors import Conflict, Unauthorized
from semantik.core.models import Session, SigningKey, new_id, now
from semantik.storage.mongo import Store

pytestmark = pytest.mark.gen_test


def _session() -> Session:
    return Session(new_id(), new_id(), now(), now() + timedelta(hours=1))


async def _loaded(mongo: Store, limits: AuthSettings | None = None) -> SigningKeys:
    keys = SigningKeys(mongo, lambda: limits or AuthSettings())
    await keys.load()
    return keys


async def _age(mongo: Store, key: SigningKey, by: timedelta) -> None:
    created = int((now() - by).timestamp() * 1000)
    await mongo.signing_keys._table.update_one({"_id": key.id}, {"$set": {"created_at": created}})


async def test_servers_that_start_together_share_the_key_of_an_older_build(tmp_path: Path) -> None:
    async with store(tmp_path) as mongo:
        await mongo._meta.upsert({"_id": "secret"}, {"$set": {"value": "the key of an older build"}})
        servers = await asyncio.gather(*(_loaded(mongo) for _ in range(3)))
        assert {(keys.current.id, keys.current.value) for keys in servers} == {
            ("1", "the key of an older build")
        }
        assert await mongo._meta.find_one({"_id": "secret"}) is None


async def test_a_rotation_refuses_no_token_that_is_good(tmp_path: Path) -> None:
    async with store(tmp_path) as mongo:
        here, there = await _loaded(mongo), await _loaded(mongo)
        session = _session()
        before = Tokens(here).access(session, 600)
        await asyncio.gather(here.rotate(), there.rotate())
        assert [key.id for key in await mongo.signing_keys.all()][:2] == ["1", "2"]
        assert here.current.id == "1", "a key signs when every server has had time to load it"
        for key in (await mongo.signing_keys.all())[1:]:
            await _age(mongo, key, timedelta(minutes=2))
        await here.maintain()
        await there.maintain()
        assert here.current.id != "1"
        after = Tokens(here).access(session, 600)
        for token in (before, after):
            assert Tokens(there).decode(token, "access").session_id == session.id


async def test_keys_are_replaced_when_due_and_removed_with_their_last_token(tmp_path: Path) -> None:
    limits = AuthSettings(rotate_secret_s=3600, session_s=7200)
    async with store(tmp_path) as mongo:
        keys = await _loaded(mongo, limits)
        await keys.maintain()
        assert [key.id for key in await mongo.signing_keys.all()] == ["1"]
        await _age(mongo, keys.current, timedelta(hours=2))
        await keys.maintain()
        [_, second] = await mongo.signing_keys.all()
        await _age(mongo, second, timedelta(minutes=50))
        await keys.maintain()
        assert len(await mongo.signing_keys.all()) == 2 and keys.current.id == "2"
        await _age(mongo, second, timedelta(hours=3))
        await keys.maintain()
        assert "1" not in [key.id for key in await mongo.signing_keys.all()]


async def test_revoked_keys_are_refused(tmp_path: Path) -> None:
    async with store(tmp_path) as mongo:
        keys, other = await _loaded(mongo), await _loaded(mongo)
        token = Tokens(keys).access(_session(), 600)
        await keys.revoke_old()
        await other.maintain()
        for each in (keys, other):
            assert each.current.id == "2"
            with pytest.raises(Unauthorized, match="not valid"):
                Tokens(each).decode(token, "access")


async def test_a_configured_secret_replaces_the_one_before_with_overlap(tmp_path: Path) -> None:
    old, new = AuthSettings(secret="o" * 40), AuthSettings(secret="n" * 40, previous_secret="o" * 40)
    async with store(tmp_path) as mongo:
        token = Tokens(await _loaded(mongo, old)).access(_session(), 600)
        keys = await _loaded(mongo, new)
        assert Tokens(keys).decode(token, "access")
        with pytest.raises(Unauthorized):
            Tokens(await _loaded(mongo, replace(new, previous_secret=""))).decode(token, "access")
        with pytest.raises(Conflict, match="previous_secret"):
            await keys.rotate()
        assert await mongo.signing_keys.all() == [], "none is kept where the database could reveal it"
