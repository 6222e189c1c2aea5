"""Watched folders: what changes in them is found by itself, with one scan at a time and few of them."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.api import documents, index, new_user
from support.fake_operation import server_stores
from support.patience import patience
from support.server import Serving, complaints, serve
from support.two_servers import Two

from pipeline.watching.folder_watcher import FolderWatcher
from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.config.settings import Settings, WatchSettings

pytestmark = [pytest.mark.gen_test, pytest.mark.server]

QUICK = ("--watch-debounce-s", "0.5", "--watch-pause-s", "1", "--watch-poll-s", "2")
OPEN = ("--auth-registration", "open", "--progress-linger-s", "0.2")
BURST = 300


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server that does not wait long before it scans."""
    serving = serve(tmp_path_factory.mktemp("quick") / "data", *OPEN, *QUICK)
    yield serving
    assert serving.stop() == 0
    assert not complaints(serving)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "harbour"
    home.mkdir()
    (home / "tides.txt").write_text("The tide rises twice a day, because of the moon.")
    return home


async def _until(check: Callable[[], Awaitable[Any]]) -> Any:
    """Ask until the answer is true."""
    deadline = time.monotonic() + patience()
    while not (answer := await check()):
        assert time.monotonic() < deadline, check
        await asyncio.sleep(0.1)
    return answer


class Watched:
    """A collection of one folder that is scanned by itself."""

    def __init__(self, client: Client, collection_id: str, source_id: str) -> None:
        self.client = client
        self.id = collection_id
        self.source_id = source_id

    async def wish(self, **how: Any) -> dict[str, Any]:
        path = f"collections/{self.id}/sources/{self.source_id}"
        changed: dict[str, Any] = await self.client.call("PATCH", path, how)
        return changed

    async def scans(self) -> list[dict[str, Any]]:
        """The operations that nobody asked for, the oldest first."""
        page = await self.client.call("GET", "operations", collection_id=self.id, limit=200)
        found = [await self.client.call("GET", f"operations/{item['id']}") for item in page["items"]]
        return [one for one in reversed(found) if one["options"] == {"watched": True}]

    async def ended(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait until there are so many scans at least, and all have ended."""

        async def check() -> list[dict[str, Any]]:
            scans = await self.scans()
            done = len(scans) >= count and all(one["completed_at"] for one in scans)
            return scans if done else []

        found: list[dict[str, Any]] = await _until(check)
        return found

    async def has(self, *names: str) -> None:
        """Wait until these are the documents, all of them indexed, and nothing is under way."""

        async def check() -> bool:
            found = await documents(self.client, self.id)
            as_named = set(found) == set(names) and {one["status"] for one in found.values()} <= {"indexed"}
            return as_named and all(one["completed_at"] for one in await self.scans())

        await _until(check)


async def _watched(client: Client, folder: Path, name: str = "Documents", **how: Any) -> Watched:
    collection_id, _ = await index(client, folder, name)
    [source] = (await client.call("GET", f"collections/{collection_id}/sources"))["items"]
    watched = Watched(client, collection_id, source["id"])
    await watched.wish(**how)
    return watched


async def _immediate(client: Client, folder: Path, name: str = "Documents") -> Watched:
    """It is scanned once when its watch begins: from then on every change is seen."""
    watched = await _watched(client, folder, name, immediate=True)
    await watched.ended(1)
    return watched


async def _some_time(client: Client, tmp_path: Path) -> None:
    """Wait for as long as another folder needs for two scans: whatever is about to be queued is queued then."""
    other = tmp_path / f"clock-{time.monotonic_ns()}"
    other.mkdir()
    clock = await _watched(client, other, other.name, interval_s=1)
    await clock.ended(2)
    await clock.wish(interval_s=0)


async def test_a_folder_is_scanned_each_time_its_interval_is_over(
    quick: Serving, folder: Path, tmp_path: Path
) -> None:
    client = await new_user(quick)
    watched = await _watched(client, folder, interval_s=1)
    (folder / "ropes.txt").write_text("A bowline is a knot that does not slip.")
    await watched.has("tides.txt", "ropes.txt")
    (folder / "tides.txt").unlink()
    await watched.has("ropes.txt")
    for scan in await watched.scans():
        assert (scan["operation_type"], scan["source_id"]) == ("append", watched.source_id)
    changed = await watched.wish(interval_s=0)
    assert (changed["interval_s"], changed["immediate"]) == (None, False)
    before = len(await watched.ended())
    await _some_time(client, tmp_path)
    assert len(await watched.ended()) <= before + 1  # one may have been about to be queued


async def test_what_is_made_changed_renamed_or_deleted_is_noticed(quick: Serving, folder: Path) -> None:
    watched = await _immediate(await new_user(quick), folder)
    (folder / "deep" / "down").mkdir(parents=True)
    (folder / "deep" / "down" / "ropes.txt").write_text("A bowline is a knot that does not slip.")
    await watched.has("tides.txt", "ropes.txt")
    (folder / "deep" / "down" / "gulls.txt").write_text("Gulls steal bread.")
    await watched.has("tides.txt", "ropes.txt", "gulls.txt")
    (folder / "tides.txt").rename(folder / "moon.txt")
    await watched.has("moon.txt", "ropes.txt", "gulls.txt")
    shutil.rmtree(folder / "deep")
    await watched.has("moon.txt")
    (folder / "moon.txt").write_text("Spring tides come with the new moon and with the full moon.")

    async def is_found() -> bool:
        answer = await watched.client.call(
            "POST", "search", {"query": "tides", "collection_ids": [watched.id]}
        )
        return [hit["passage"][:6] for hit in answer["hits"]] == ["Spring"]

    await _until(is_found)


async def test_a_burst_makes_few_scans_and_changes_during_one_lead_to_exactly_one_more(
    quick: Serving, folder: Path, tmp_path: Path
) -> None:
    client = await new_user(quick)
    watched = await _immediate(client, folder)
    before = len(await watched.scans())
    for number in range(BURST):
        (folder / f"lamp-{number:03}.txt").write_text(f"Lamp {number} burned for {number * 7} hours.")

    async def runs() -> list[dict[str, Any]]:
        return [one for one in (await watched.scans())[before:] if one["status"] == "processing"]

    [running] = await _until(runs)
    async for frame in client.watch(running["id"]):
        if frame["type"] == "document_processed":
            break
    for name in ("late.txt", "later.txt", "latest.txt"):
        (folder / name).write_text(f"This is {name}.")
    (folder / "late.txt").write_text("It came late.")
    lamps = [f"lamp-{number:03}.txt" for number in range(BURST)]
    await watched.has("tides.txt", "late.txt", "later.txt", "latest.txt", *lamps)
    await _some_time(client, tmp_path)
    assert len(await watched.scans()) == before + 2


async def test_excluded_names_and_the_servers_own_data_make_no_event(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".git" / "objects").mkdir(parents=True)
    (home / "tides.txt").write_text("The tide rises.")
    data = home / "own" / "data"  # its log lies beside it
    serving = serve(data, *OPEN, *QUICK, "--documents-exclude", ".git,*.log")
    try:
        client = await new_user(serving)
        watched = await _immediate(client, home)
        await _some_time(client, tmp_path)
        before = len(await watched.scans())
        (home / ".git" / "objects" / "one.txt").write_text("x")
        (home / "some.log").write_text("x")
        await _some_time(client, tmp_path)
        assert len(await watched.scans()) == before == 1
        (home / "gulls.txt").write_text("Gulls steal bread.")
        await watched.has("tides.txt", "gulls.txt")
    finally:
        assert serving.stop() == 0


async def test_two_servers_make_one_scan_of_a_change(tmp_path: Path, folder: Path) -> None:
    two = Two(tmp_path)
    try:
        first, _ = two.start(*OPEN, *QUICK)
        client = await new_user(first)
        watched = await _immediate(client, folder)

        async def all_watch() -> bool:
            return all(f"watched  {folder}" in serving.log.read_text() for serving in two.servers)

        await _until(all_watch)
        await _some_time(client, tmp_path)
        before = len(await watched.ended())
        names = ["tides.txt"]
        for number in range(3):
            names.append(f"lamp-{number}.txt")
            (folder / names[-1]).write_text(f"Lamp {number} burns.")
            await watched.has(*names)
            await _some_time(client, tmp_path)
        assert len(await watched.scans()) == before + 3
    finally:
        two.stop()


async def test_of_many_who_look_at_the_same_moment_one_queues_the_scan(
    quick: Serving, folder: Path, tmp_path: Path
) -> None:
    client = await new_user(quick)
    watched = await _watched(client, folder)
    rules = Settings(data=tmp_path / "data", watch=WatchSettings(pause_s=1))
    async with server_stores(quick) as (store, _), AsyncExitStack() as lookers:
        await watched.wish(interval_s=1)
        for _ in range(5):
            await lookers.enter_async_context(FolderWatcher(lambda: rules, store, lambda: None))
        scans = await watched.ended(3)
    await watched.wish(interval_s=0)
    for one, other in pairwise(scans):
        assert one["completed_at"] < other["created_at"]


@pytest.mark.noisy
async def test_a_folder_that_vanishes_is_told_once_and_is_watched_again_when_it_is_back(
    start: Callable[..., Serving], folder: Path, tmp_path: Path
) -> None:
    serving = start(*OPEN, *QUICK)
    client = await new_user(serving)
    watched = await _immediate(client, folder)
    before = len(await watched.scans())
    away = folder.rename(folder.with_name("away"))
    scans = await watched.ended(before + 1)
    assert scans[-1]["status"] == "failed"
    await _some_time(client, tmp_path)
    assert len(await watched.scans()) == before + 1
    loud = [line for line in complaints(serving) if str(folder) in line]
    assert len(loud) == 1 and "There is no folder" in loud[0]
    assert set(await documents(client, watched.id)) == {"tides.txt"}
    (away / "gulls.txt").write_text("Gulls steal bread.")
    away.rename(folder)
    await watched.has("tides.txt", "gulls.txt")
    (folder / "ropes.txt").write_text("A bowline does not slip.")
    await watched.has("tides.txt", "gulls.txt", "ropes.txt")


@pytest.mark.noisy
async def test_a_server_that_dies_between_its_claim_and_the_operation_leaves_the_folder_free(
    start: Callable[..., Serving], folder: Path
) -> None:
    flags = (*OPEN, *QUICK, "--operations-lease-s", "2")
    serving = start(*flags, env={"SEMANTIK_FAILPOINT": "watched.claimed"})
    watched = await _watched(await new_user(serving), folder, immediate=True)
    await asyncio.to_thread(serving.process.wait, patience())
    (folder / "gulls.txt").write_text("Gulls steal bread.")
    watched.client.url = start(*flags).url
    await watched.has("tides.txt", "gulls.txt")


@pytest.mark.embedded
@pytest.mark.noisy
async def test_nothing_is_lost_while_the_store_is_away_or_the_watching_process_dies(
    start: Callable[..., Serving], folder: Path
) -> None:
    serving = start(*OPEN, *QUICK)
    watched = await _immediate(await new_user(serving), folder)
    _child(serving, "mongo.sock").kill()
    (folder / "gulls.txt").write_text("Gulls steal bread.")

    async def answers() -> bool:
        try:
            await watched.scans()
        except Refused:
            return False
        return True

    await _until(answers)
    await watched.has("tides.txt", "gulls.txt")
    _child(serving, "pipeline.watching.watcher_process").kill()
    (folder / "ropes.txt").write_text("A bowline does not slip.")
    await watched.has("tides.txt", "gulls.txt", "ropes.txt")
    assert len([line for line in complaints(serving) if "cannot be noticed" in line]) == 1


@pytest.mark.parametrize("hung", [False, True], ids=["at work", "hung"])
async def test_a_server_that_watches_stops_as_ever(
    start: Callable[..., Serving], folder: Path, hung: bool
) -> None:
    serving = start(*OPEN, *QUICK)
    await _immediate(await new_user(serving), folder)
    if hung:
        _child(serving, "pipeline.watching.watcher_process").suspend()
    assert serving.stop() == 0
    assert "ending at once" not in serving.log.read_text()


async def test_a_server_that_is_killed_leaves_no_watching_process(
    start: Callable[..., Serving], folder: Path
) -> None:
    serving = start(*OPEN, *QUICK)
    await _immediate(await new_user(serving), folder)
    child = _child(serving, "pipeline.watching.watcher_process")
    serving.kill()
    psutil.wait_procs([child], patience())
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def _child(serving: Serving, word: str) -> psutil.Process:
    [child] = [each for each in serving.tree[1:] if word in " ".join(each.cmdline())]
    return child


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"interval_s": -1}, "interval_s.*a whole number from 0"),
        ({"interval_s": 1.5}, "interval_s.*a whole number from 0"),
        ({"interval_s": "60"}, "interval_s.*a whole number from 0"),
        ({"interval_s": True}, "interval_s.*a whole number from 0"),
        ({"interval_s": 365 * 86_400 + 1}, "interval_s.*a whole number from 0"),
        ({"immediate": 1}, "immediate.*true or false"),
        ({"immediate": None}, "immediate.*true or false"),
        ({"watch": True}, "watch"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
async def test_wrong_wishes_are_refused_and_change_nothing(
    quick: Serving, folder: Path, wish: dict[str, Any], sentence: str
) -> None:
    client = await new_user(quick)
    watched = await _watched(client, folder)
    with pytest.raises(Refused, match=sentence) as refused:
        await watched.wish(**wish)
    assert refused.value.status == 422
    [source] = (await client.call("GET", f"collections/{watched.id}/sources"))["items"]
    assert (source["interval_s"], source["immediate"]) == (None, False)


async def test_a_folder_that_is_not_there_or_is_a_strangers_cannot_be_watched(
    quick: Serving, folder: Path
) -> None:
    client, stranger = await new_user(quick), await new_user(quick)
    watched = await _watched(client, folder)
    for who, source_id in ((client, "nothing"), (stranger, watched.source_id)):
        with pytest.raises(Refused) as refused:
            await Watched(who, watched.id, source_id).wish(immediate=True)
        assert refused.value.status == 404
