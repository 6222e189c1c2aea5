"""Watched folders: every change is found without a request, with one scan at a time and few scans."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.api import new_user
from support.fake_operation import server_stores
from support.server import Serving, complaints, serve
from support.two_servers import Two
from support.watched_source import (
    OPEN,
    QUICK,
    WatchedSource,
    immediate_source,
    wait_for_two_scans_elsewhere,
    wait_until,
    watched_source,
)

from pipeline.watching.folder_watcher import FolderWatcher
from semantik.client.websocket import Refused
from semantik.config.settings import Settings, WatchSettings

pytestmark = [pytest.mark.gen_test, pytest.mark.server]

BURST = 300


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server with a short delay before each scan."""
    serving = serve(tmp_path_factory.mktemp("quick") / "data", *OPEN, *QUICK)
    yield serving
    assert serving.stop() == 0
    assert not complaints(serving)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "harbour"
    root.mkdir()
    (root / "tides.txt").write_text("The tide rises twice a day, because of the moon.")
    return root


async def test_a_folder_is_scanned_after_each_interval(quick: Serving, folder: Path, tmp_path: Path) -> None:
    client = await new_user(quick)
    watched = await watched_source(client, folder, interval_s=1)
    (folder / "ropes.txt").write_text("A bowline is a knot that does not slip.")
    await watched.wait_for_documents("tides.txt", "ropes.txt")
    (folder / "tides.txt").unlink()
    await watched.wait_for_documents("ropes.txt")
    for scan in await watched.scans():
        assert (scan["operation_type"], scan["source_id"]) == ("append", watched.source_id)
    changed = await watched.set_options(interval_s=0)
    assert (changed["interval_s"], changed["immediate"]) == (None, False)
    before = len(await watched.wait_for_scans())
    await wait_for_two_scans_elsewhere(client, tmp_path)
    assert len(await watched.wait_for_scans()) <= before + 1  # one scan may have been about to be queued


async def test_created_changed_renamed_and_deleted_files_are_noticed(quick: Serving, folder: Path) -> None:
    watched = await immediate_source(await new_user(quick), folder)
    (folder / "deep" / "down").mkdir(parents=True)
    (folder / "deep" / "down" / "ropes.txt").write_text("A bowline is a knot that does not slip.")
    await watched.wait_for_documents("tides.txt", "ropes.txt")
    (folder / "deep" / "down" / "gulls.txt").write_text("Gulls steal bread.")
    await watched.wait_for_documents("tides.txt", "ropes.txt", "gulls.txt")
    (folder / "tides.txt").rename(folder / "moon.txt")
    await watched.wait_for_documents("moon.txt", "ropes.txt", "gulls.txt")
    shutil.rmtree(folder / "deep")
    await watched.wait_for_documents("moon.txt")
    (folder / "moon.txt").write_text("Spring tides come with the new moon and with the full moon.")

    async def changed_text_is_found() -> bool:
        answer = await watched.client.call(
            "POST", "search", {"query": "tides", "collection_ids": [watched.id]}
        )
        return [hit["passage"][:6] for hit in answer["hits"]] == ["Spring"]

    await wait_until(changed_text_is_found)


async def test_a_burst_gives_one_scan_and_changes_during_it_exactly_one_more(
    quick: Serving, folder: Path, tmp_path: Path
) -> None:
    client = await new_user(quick)
    watched = await immediate_source(client, folder)
    before = len(await watched.scans())
    for number in range(BURST):
        (folder / f"lamp-{number:03}.txt").write_text(f"Lamp {number} burned for {number * 7} hours.")

    async def running_scans() -> list[dict[str, Any]]:
        return [one for one in (await watched.scans())[before:] if one["status"] == "processing"]

    [running] = await wait_until(running_scans)
    async for message in client.watch(running["id"]):
        if message["type"] == "document_processed":
            break
    for name in ("late.txt", "later.txt", "latest.txt"):
        (folder / name).write_text(f"This is {name}.")
    (folder / "late.txt").write_text("It came late.")
    lamps = [f"lamp-{number:03}.txt" for number in range(BURST)]
    await watched.wait_for_documents("tides.txt", "late.txt", "later.txt", "latest.txt", *lamps)
    await wait_for_two_scans_elsewhere(client, tmp_path)
    assert len(await watched.scans()) == before + 2


async def test_excluded_names_and_the_servers_own_data_cause_no_scan(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".git" / "objects").mkdir(parents=True)
    (home / "tides.txt").write_text("The tide rises.")
    data = home / "own" / "data"  # the log of the server is beside it
    serving = serve(data, *OPEN, *QUICK, "--documents-exclude", ".git,*.log")
    try:
        client = await new_user(serving)
        watched = await immediate_source(client, home)
        await wait_for_two_scans_elsewhere(client, tmp_path)
        before = len(await watched.scans())
        (home / ".git" / "objects" / "one.txt").write_text("x")
        (home / "some.log").write_text("x")
        await wait_for_two_scans_elsewhere(client, tmp_path)
        assert len(await watched.scans()) == before == 1
        (home / "gulls.txt").write_text("Gulls steal bread.")
        await watched.wait_for_documents("tides.txt", "gulls.txt")
    finally:
        assert serving.stop() == 0


async def test_two_servers_start_one_scan_of_a_change(tmp_path: Path, folder: Path) -> None:
    two = Two(tmp_path)
    try:
        first, _ = two.start(*OPEN, *QUICK)
        client = await new_user(first)
        watched = await immediate_source(client, folder)

        async def all_watch() -> bool:
            return all(f"watched  {folder}" in serving.log.read_text() for serving in two.servers)

        await wait_until(all_watch)
        await wait_for_two_scans_elsewhere(client, tmp_path)
        before = len(await watched.wait_for_scans())
        names = ["tides.txt"]
        for number in range(3):
            names.append(f"lamp-{number}.txt")
            (folder / names[-1]).write_text(f"Lamp {number} burns.")
            await watched.wait_for_documents(*names)
            await wait_for_two_scans_elsewhere(client, tmp_path)
        assert len(await watched.scans()) == before + 3
    finally:
        two.stop()


async def test_of_many_watchers_at_the_same_moment_one_queues_the_scan(
    quick: Serving, folder: Path, tmp_path: Path
) -> None:
    client = await new_user(quick)
    watched = await watched_source(client, folder)
    settings = Settings(data=tmp_path / "data", watch=WatchSettings(pause_s=1))
    async with server_stores(quick) as (store, _), AsyncExitStack() as watchers:
        await watched.set_options(interval_s=1)
        for _ in range(5):
            await watchers.enter_async_context(FolderWatcher(lambda: settings, store, lambda: None))
        scans = await watched.wait_for_scans(3)
    await watched.set_options(interval_s=0)
    for one, other in pairwise(scans):
        assert one["completed_at"] < other["created_at"]


@pytest.mark.parametrize(
    ("options", "sentence"),
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
async def test_invalid_watch_options_are_refused_and_change_nothing(
    quick: Serving, folder: Path, options: dict[str, Any], sentence: str
) -> None:
    client = await new_user(quick)
    watched = await watched_source(client, folder)
    with pytest.raises(Refused, match=sentence) as refused:
        await watched.set_options(**options)
    assert refused.value.status == 422
    [source] = (await client.call("GET", f"collections/{watched.id}/sources"))["items"]
    assert (source["interval_s"], source["immediate"]) == (None, False)


async def test_an_unknown_source_or_one_of_another_user_cannot_be_watched(
    quick: Serving, folder: Path
) -> None:
    client, stranger = await new_user(quick), await new_user(quick)
    watched = await watched_source(client, folder)
    for user, source_id in ((client, "nothing"), (stranger, watched.source_id)):
        with pytest.raises(Refused) as refused:
            await WatchedSource(user, watched.id, source_id).set_options(immediate=True)
        assert refused.value.status == 404
