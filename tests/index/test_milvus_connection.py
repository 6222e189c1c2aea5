"""The connection to Milvus: TLS with certificates of both sides, the token, and sentences for what goes wrong."""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from support.local_tls import Certificate, free_port
from support.milvus import Milvus, running_milvus
from support.patience import patience

from semantik.config.loader import load
from semantik.config.milvus_settings import MilvusSettings
from semantik.core.errors import ConfigError, EngineAway, Unavailable
from semantik.index.milvus import milvus_registry
from semantik.index.milvus.connection import MilvusConnection

pytestmark = pytest.mark.gen_test

_TOKEN = "semantik:a pass/word: of @ Milvus"
_VECTORS = np.eye(4, dtype=np.float16)


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Milvus]:
    with running_milvus(tmp_path_factory.mktemp("milvus")) as server:
        yield server


class _Guard(grpc.GenericRpcHandler):
    """Passes every call on that has the token."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        sent = dict(details.invocation_metadata).get("authorization")

        async def answer(request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            if sent != base64.b64encode(_TOKEN.encode()).decode():
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "auth check failure")
            try:
                passed: bytes = await self._channel.unary_unary(details.method)(request)
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details() or "")
            return passed

        return grpc.unary_unary_rpc_method_handler(answer)


@asynccontextmanager
async def guarded(milvus: Milvus, folder: Path) -> AsyncIterator[MilvusSettings]:
    """The settings for a Milvus that wants TLS, a certificate and a token."""
    server, client = Certificate(folder / "server"), Certificate(folder / "client", "semantik")
    port = free_port()
    async with grpc.aio.insecure_channel(milvus.url.removeprefix("http://")) as channel:
        guard = grpc.aio.server()
        guard.add_generic_rpc_handlers((_Guard(channel),))
        credentials = grpc.ssl_server_credentials(
            [(server.key.read_bytes(), server.file.read_bytes())], client.file.read_bytes(), True
        )
        guard.add_secure_port(f"127.0.0.1:{port}", credentials)
        await guard.start()
        try:
            yield milvus.settings(
                url=f"https://127.0.0.1:{port}",
                token=_TOKEN,
                ca_file=str(server.file),
                certificate_file=str(client.file),
                key_file=str(client.key),
                timeout_s=patience(3.0),
            )
        finally:
            await guard.stop(None)


async def test_tls_certificates_and_token_are_used(milvus: Milvus, tmp_path: Path) -> None:
    async with guarded(milvus, tmp_path) as settings:
        registry = milvus_registry(settings)
        try:
            index = await registry.open("c", 1, 4)
            await index.add(np.arange(4), _VECTORS)
            found = await index.nearest(_VECTORS[2].astype(np.float32), 1)
            assert [each.seq for each in found] == [2]
        finally:
            await registry.close()


async def test_a_wrong_token_is_named_and_not_shown(milvus: Milvus, tmp_path: Path) -> None:
    async with guarded(milvus, tmp_path) as settings:
        registry = milvus_registry(replace(settings, token="semantik:wrong"))
        try:
            with pytest.raises(EngineAway, match=r"refuses milvus\.token") as refused:
                await registry.open("c", 1, 4)
            assert "wrong" not in str(refused.value)
        finally:
            await registry.close()


@pytest.mark.parametrize("missing", ["ca_file", "certificate_file"])
async def test_a_server_or_client_that_is_not_trusted_gets_no_token(
    milvus: Milvus, tmp_path: Path, missing: str
) -> None:
    async with guarded(milvus, tmp_path) as settings:
        without = {"ca_file": "", "certificate_file": "", "key_file": ""}
        if missing == "certificate_file":
            del without["ca_file"]
        registry = milvus_registry(replace(settings, timeout_s=1.0, **without))
        try:
            with pytest.raises(EngineAway, match="does not answer"):
                await registry.open("c", 1, 4)
        finally:
            await registry.close()


@pytest.mark.noisy
async def test_a_collection_that_was_dropped_is_made_anew(milvus: Milvus) -> None:
    settings = milvus.settings()
    registry, other = milvus_registry(settings), milvus_registry(settings)
    try:
        index = await registry.open("c", 1, 4)
        await index.add(np.arange(4), _VECTORS)
        await other.drop("c")
        with pytest.raises(Unavailable, match="made anew"):
            await index.nearest(_VECTORS[0].astype(np.float32), 1)
        again = await registry.open("c", 1, 4)
        assert again is not index and again.last_seq == -1 and again.size == 0
    finally:
        await registry.close()
        await other.close()


async def test_an_index_that_is_dropped_while_it_is_opened_says_so(milvus: Milvus) -> None:
    registry = milvus_registry(milvus.settings())
    try:
        opening = [asyncio.create_task(registry.open("c", 1, 4)) for _ in range(2)]
        await asyncio.sleep(0)
        await registry.drop("c", 1)
        answers = await asyncio.gather(*opening, return_exceptions=True)
        assert [type(each) for each in answers] == [EngineAway, EngineAway]
        assert (await registry.open("c", 1, 4)).size == 0
    finally:
        await registry.close()


async def test_a_call_beside_one_that_found_no_server_is_not_cancelled(tmp_path: Path) -> None:
    own = Milvus(tmp_path)
    own.start()
    connection = MilvusConnection(own.settings(timeout_s=patience(10.0)))
    try:
        assert await connection.call("list_collections") == []
        own.pause()
        answers = await asyncio.gather(
            connection.call("list_collections"),
            connection.call("list_collections", timeout_s=1.0),
            return_exceptions=True,
        )
        assert [type(each) for each in answers] == [EngineAway, EngineAway]
        hanging = asyncio.create_task(connection.call("list_collections"))
        await asyncio.sleep(0)
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
    finally:
        own.resume()
        await connection.close()
        own.kill()


async def test_after_a_call_in_vain_others_do_not_wait_while_milvus_is_known_to_be_away(
    tmp_path: Path,
) -> None:
    own = Milvus(tmp_path)
    own.start()
    away = False
    connection = MilvusConnection(own.settings(timeout_s=2.0), lambda: away)
    try:
        assert await connection.call("list_collections") == []
        own.pause()
        with pytest.raises(EngineAway, match="does not answer"):
            await connection.call("list_collections")
        own.resume()  # who asks would be answered
        away = True
        with pytest.raises(EngineAway, match="does not answer"):
            await connection.call("list_collections")
        away = False
        assert await connection.call("list_collections", timeout_s=patience(10.0)) == []
        away = True  # but this one was answered
        assert await connection.call("list_collections", timeout_s=patience(10.0)) == []
    finally:
        own.resume()
        await connection.close()
        own.kill()


async def test_the_first_call_after_an_absence_finds_it_again(tmp_path: Path) -> None:
    own = Milvus(tmp_path)
    own.start()
    registry = milvus_registry(own.settings(timeout_s=patience(2.0)))
    try:
        assert await registry.names() == []
        own.kill()
        for _ in range(12):  # as searches do: a shared channel would wait longer with each
            with pytest.raises(EngineAway, match="does not answer"):
                await registry.names()
            await asyncio.sleep(0.5)
        await asyncio.to_thread(own.start)
        assert await registry.names() == []
    finally:
        await registry.close()
        own.kill()


async def test_what_another_server_adds_is_known_after_a_refresh(milvus: Milvus) -> None:
    settings = milvus.settings()
    registry, other = milvus_registry(settings), milvus_registry(settings)
    try:
        index, same = await registry.open("c", 1, 4), await other.open("c", 1, 4)
        await same.add(np.arange(4), _VECTORS)
        await index.refresh()
        assert index.last_seq == 3 and index.size == 4
        await index.add(np.arange(4), _VECTORS)  # again, as after a crash
        assert await same.count() == 4
    finally:
        await registry.close()
        await other.close()


async def test_a_crash_before_the_mark_has_rows_added_again(milvus: Milvus, monkeypatch: Any) -> None:
    settings = milvus.settings()
    registry = milvus_registry(settings)
    index = await registry.open("c", 1, 4)
    await index.add(np.arange(2), _VECTORS[:2])

    async def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(index._collection, "save_mark", die)
    with pytest.raises(KeyboardInterrupt):
        await index.add(np.arange(2, 4), _VECTORS[2:])
    await registry.close()
    registry = milvus_registry(settings)
    try:
        again = await registry.open("c", 1, 4)
        assert again.last_seq == 1
        await again.add(np.arange(2, 4), _VECTORS[2:])
        assert await again.count() == 4 and again.last_seq == 3
    finally:
        await registry.close()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "needs milvus.url"),
        ({"url": "milvus:19530"}, "http://host:port"),
        ({"url": "http://m:1", "ca_file": "/dev/null"}, "must begin with https://"),
        ({"url": "https://m:1", "certificate_file": "/dev/null"}, "belong together"),
        ({"url": "https://m:1", "certificate_file": "/a", "key_file": "/b"}, "needs milvus.ca_file"),
        ({"url": "https://m:1", "ca_file": "/no/such.pem"}, "cannot be read"),
    ],
)
async def test_settings_that_cannot_work_are_refused(given: dict[str, str], sentence: str) -> None:
    env = {f"SEMANTIK_MILVUS_{name.upper()}": value for name, value in given.items()}
    with pytest.raises(ConfigError, match=sentence):
        load(None, {"SEMANTIK_INDEX_ENGINE": "milvus", **env})


async def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    for name in [each for each in sys.modules if each.startswith("semantik.index.milvus.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigError, match=r"pip install .*'\.\[milvus\]'"):
        milvus_registry(MilvusSettings(url="http://127.0.0.1:1"))
