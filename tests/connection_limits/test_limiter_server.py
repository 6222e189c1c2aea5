"""The connection limiter in a server: when its task fails, the server exits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import redis
from support.api import new_user
from support.clients import connect, until
from support.fake_operation import fake_operation
from support.patience import patience
from support.server import Serving

from semantik.connection_limits.counter_store import CHANGED


@pytest.mark.noisy
@pytest.mark.embedded
@pytest.mark.gen_test
async def test_failure_of_the_limiter_ends_the_server(start: Callable[..., Serving]) -> None:
    serving = start("--auth-registration", "open")
    client = await new_user(serving)
    async with fake_operation(serving, client) as operation:
        socket = await connect(serving, f"/ws/operations/{operation.id}", {"token": client.token})
        await until(socket, "presence")  # the limiter polls from now on
        admin = redis.Redis.from_url(serving.stores.redis_url, protocol=2)
        admin.xadd(CHANGED, {"not": "ours"})
        admin.close()
        assert await asyncio.to_thread(serving.process.wait, patience()) == 1
    log = serving.log.read_text()
    assert "A part of the server has failed; stopping" in log and "KeyError: b'key'" in log
