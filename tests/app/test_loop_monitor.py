"""The loop's monitor says when something holds the loop, both on a busy server and after a rest."""

from __future__ import annotations

import asyncio
import time

import pytest

from semantik.app.loop_monitor import monitor_loop

pytestmark = pytest.mark.gen_test


def _compute(seconds: float) -> None:
    begun = time.thread_time()
    while time.thread_time() - begun < seconds:
        pass


@pytest.mark.parametrize("busy", [True, False])
async def test_what_holds_the_loop_is_logged(busy: bool, caplog: pytest.LogCaptureFixture) -> None:
    monitoring = asyncio.create_task(monitor_loop())
    for _ in range(20):
        await asyncio.sleep(0.02)
        if busy:
            _compute(0.01)
    assert not caplog.records
    _compute(0.3)
    await asyncio.sleep(0.05)
    monitoring.cancel()
    [record] = caplog.records
    assert "The loop was held" in record.getMessage()
