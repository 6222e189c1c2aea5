"""The dispatcher's loop."""

from __future__ import annotations

import asyncio
from unittest.mock import AsyncMock, Mock

import pytest

from pipeline.execution.dispatcher import Dispatcher


@pytest.mark.gen_test
async def test_it_ends_when_it_is_cancelled_while_it_wakes_up() -> None:
    dispatcher = Dispatcher(Mock(), "owner")
    dispatcher._dispatch = AsyncMock()  # type: ignore[method-assign]
    looking = asyncio.ensure_future(dispatcher._dispatch_forever())
    for _ in range(3):
        await asyncio.sleep(0)
    assert dispatcher._dispatch.await_count == 1
    dispatcher.wake()
    looking.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert looking.cancelled()
    assert dispatcher._dispatch.await_count == 1
