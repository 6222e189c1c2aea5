"""What administrators see of the servers, and of this one's log."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from support.api import new_user, refusal_of
from support.server import Serving

from semantik.app.recent_log import RecentLog, recent_lines

pytestmark = pytest.mark.gen_test


async def test_the_status_names_servers_stores_and_the_queue(start: Callable[..., Serving]) -> None:
    serving = start()
    admin = await new_user(serving)
    status = await admin.call("GET", "status")
    assert [one["state"] for one in status["instances"]] == ["alive"]
    own = status["instances"][0]
    assert own["pid"] == status["pid"]
    assert own["load"] >= 0 and own["free_bytes"] > 1 << 20 and own["refused"] == 0
    assert own["label"] is None and own["roots"] == ["/"] and own["peer_url"] is None
    assert status["cluster"] is None and status["engine"] is None
    assert status["stores"]["redis"]["answers"] and status["stores"]["redis"]["memory_bytes"] > 0
    assert status["stores"]["mongo"]["answers"]
    assert "@" not in status["stores"]["mongo"]["where"]
    assert status["queue"] == {"running": 0, "waiting": 0, "longest_wait_s": 0.0}
    lines = (await admin.call("GET", "status/log"))["items"]
    assert any(line["logger"].startswith("semantik") and line["level"] == "info" for line in lines)
    assert lines == sorted(lines, key=lambda line: line["at"])
    assert len((await admin.call("GET", "status/log", limit=1))["items"]) == 1
    assert (await refusal_of(admin, "GET", "status/log", limit=501)).status == 422


@pytest.mark.noisy
async def test_the_log_keeps_its_last_lines_and_cuts_long_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    handler, logger = RecentLog(), logging.getLogger("semantik.test_recent_log")
    monkeypatch.setattr(
        logging.getLogger(), "handlers", [handler]
    )  # another test may have left its own there
    for number in range(600):
        logger.error("line %d", number)
    logger.error("x" * 5000 + "the end")
    lines = recent_lines()
    assert lines == handler.lines and len(lines) == 500
    assert lines[0].message == "line 101"
    assert len(lines[-1].message) == 2000 and lines[-1].message.endswith("the end")
