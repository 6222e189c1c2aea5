"""A watched source on a real server: a collection of one folder that the server scans by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from support.api import documents, index
from support.patience import patience

from semantik.client.api import Client

OPEN = ("--auth-registration", "open", "--progress-linger-s", "0.2")
QUICK = ("--watch-debounce-s", "0.5", "--watch-pause-s", "1", "--watch-poll-s", "2")


async def wait_until(check: Callable[[], Awaitable[Any]]) -> Any:
    """Repeat the check until its result is true; returns the result."""
    deadline = time.monotonic() + patience()
    while not (result := await check()):
        assert time.monotonic() < deadline, check
        await asyncio.sleep(0.1)
    return result


class WatchedSource:
    """A collection of one watched source."""

    def __init__(self, client: Client, collection_id: str, source_id: str) -> None:
        self.client = client
        self.id = collection_id
        self.source_id = source_id

    async def set_options(self, **options: Any) -> dict[str, Any]:
        path = f"collections/{self.id}/sources/{self.source_id}"
        changed: dict[str, Any] = await self.client.call("PATCH", path, options)
        return changed

    async def scans(self) -> list[dict[str, Any]]:
        """The operations that the watch has started, the oldest first."""
        page = await self.client.call("GET", "operations", collection_id=self.id, limit=200)
        found = [await self.client.call("GET", f"operations/{item['id']}") for item in page["items"]]
        return [one for one in reversed(found) if one["options"] == {"watched": True}]

    async def wait_for_scans(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait until there are at least `count` scans, and all have ended."""

        async def check() -> list[dict[str, Any]]:
            scans = await self.scans()
            done = len(scans) >= count and all(one["completed_at"] for one in scans)
            return scans if done else []

        found: list[dict[str, Any]] = await wait_until(check)
        return found

    async def wait_for_documents(self, *names: str) -> None:
        """Wait until the documents are exactly these, all are indexed, and no scan runs."""

        async def check() -> bool:
            found = await documents(self.client, self.id)
            as_expected = set(found) == set(names) and {one["status"] for one in found.values()} <= {
                "indexed"
            }
            return as_expected and all(one["completed_at"] for one in await self.scans())

        await wait_until(check)


async def watched_source(
    client: Client, folder: Path, name: str = "Documents", **options: Any
) -> WatchedSource:
    collection_id, _ = await index(client, folder, name)
    [source] = (await client.call("GET", f"collections/{collection_id}/sources"))["items"]
    watched = WatchedSource(client, collection_id, source["id"])
    await watched.set_options(**options)
    return watched


async def immediate_source(client: Client, folder: Path, name: str = "Documents") -> WatchedSource:
    """A source with a watch that is ready: the scan at its start has ended, and every later change is noticed."""
    watched = await watched_source(client, folder, name, immediate=True)
    await watched.wait_for_scans(1)
    return watched


async def wait_for_two_scans_elsewhere(client: Client, tmp_path: Path) -> None:
    """Wait while another source is scanned twice: every scan that was about to be queued is queued by then."""
    other = tmp_path / f"clock-{time.monotonic_ns()}"
    other.mkdir()
    clock = await watched_source(client, other, other.name, interval_s=1)
    await clock.wait_for_scans(2)
    await clock.set_options(interval_s=0)
