"""Health, status and metrics of a server with Milvus: while it runs, is killed, halted, and started again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.api import index
from support.milvus import Milvus
from support.milvus_documents import milvus_flags, signed_in, until, write
from support.patience import patience
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy]

_LABELS = {"engine": "milvus"}


async def _samples(serving: Serving) -> dict[str, float]:
    answer = await AsyncHTTPClient().fetch(f"{serving.url}/metrics")
    families = text_string_to_metric_families(answer.body.decode())
    found = [sample for each in families for sample in each.samples if sample.name.startswith("vector_")]
    assert all(sample.labels == _LABELS for sample in found)
    return {sample.name: sample.value for sample in found}


async def test_a_server_stays_ready_while_milvus_is_away_and_says_so(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    milvus = Milvus(tmp_path / "milvus")
    milvus.start()
    try:
        serving = start(*milvus_flags(milvus, timeout_s=patience(2.0)))
        client = await signed_in(serving)

        async def engine() -> dict[str, Any]:
            return dict((await client.call("GET", "status"))["engine"])

        async def state_is(state: str) -> bool:
            health = await Client(serving.url).call("GET", "health")
            assert (health["status"], health["mongo"], health["redis"]) == ("ok", True, True)
            return bool(health["engine"] == state)

        await until(lambda: state_is("ready"))
        write(tmp_path / "documents", range(5))
        collection, _ = await index(client, tmp_path / "documents")

        async def counted() -> bool:
            return (await engine())["collections"] == 1

        await until(counted)
        ready = await engine()
        assert (ready["name"], ready["address"], ready["state"]) == ("milvus", milvus.url, "ready")
        assert (
            ready["version"].startswith("milvus_lite-") and ready["losses"] == 0 and ready["problem"] is None
        )
        assert await _samples(serving) == {"vector_engine_up": 1.0, "vector_engine_losses_total": 0.0}
        milvus.kill()
        await until(lambda: state_is("away"))
        away = await engine()
        assert away["since"] > ready["since"] and "does not answer" in away["problem"]
        assert away["collections"] is None and away["version"] == ready["version"]
        assert await _samples(serving) == {"vector_engine_up": 0.0, "vector_engine_losses_total": 1.0}
        search = {"query": "anchor", "collection_ids": [collection]}
        assert (await client.call("POST", "search", search))["degraded"]
        milvus.start()
        await until(lambda: state_is("ready"))
        assert (await engine())["since"] > away["since"]
        assert (await _samples(serving))["vector_engine_up"] == 1.0
        milvus.pause()
        assert await state_is("ready")  # an answer that waited for the look would say away
        await until(lambda: state_is("away"))
        milvus.resume()
        await until(lambda: state_is("ready"))
    finally:
        milvus.kill()
