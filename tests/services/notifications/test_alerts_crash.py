"""Alerts and deliveries across crashes, and with two servers: nothing is lost, and nothing is told twice."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from support.alerts import LAMP, QUICK, add, alerts, append, collection, save, until_alerts, until_delivery
from support.api import PASSWORD, new_user
from support.patience import deadline
from support.people import username_of
from support.processes import suspend
from support.server import Serving
from support.two_servers import Two
from support.webhook_receiver import receiving

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test, pytest.mark.server]

_LEASE = ("--operations-lease-s=3",)
_COMPETING = 3  # lamps for whose alerts both servers contend


async def _died(serving: Serving) -> None:
    async with deadline():
        while serving.process.poll() is None:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def _again(serving: Serving, name: str) -> Client:
    client = Client(serving.url)
    await client.sign_in(name, PASSWORD)
    return client


@pytest.mark.parametrize("stage", ["alerts.added", "alerts.queued", "alerts.saved"])
async def test_a_crash_between_two_steps_loses_and_repeats_nothing(
    start: Callable[..., Serving], tmp_path: Path, stage: str
) -> None:
    folder = tmp_path / "notes"
    async with receiving() as receiver:
        serving = start(*QUICK, *_LEASE, env={"SEMANTIK_FAILPOINT": stage})
        client = await new_user(serving)
        name, collection_id = await username_of(client), await collection(client, folder)
        hook = await client.call("POST", "webhooks", {"name": "Mine", "url": receiver.url})
        saved = await save(client, webhook_ids=[hook["id"]])
        (folder / "one.txt").write_text(LAMP)
        (folder / "two.txt").write_text("A green lamp shines.")
        await client.call("POST", f"collections/{collection_id}/append", {})
        await _died(serving)
        client = await _again(start(*QUICK, *_LEASE), name)
        await until_delivery(client, hook["id"], "delivered", 2)
        await add(client, collection_id, folder, last="The lamp on the wall is green.")
        await until_delivery(client, hook["id"], "delivered", 3)
        found = await alerts(client, search_id=saved["id"])
        assert sorted(each["document"]["name"] for each in found) == ["last.txt", "one.txt", "two.txt"]
        assert [each["number"] for each in found] == sorted({each["number"] for each in found})
        told = Counter(each.data["document"]["name"] for each in receiver.received)
        # With alerts.saved the deliveries may have been on their way: a repeated one has the same id.
        assert set(told) == {"one.txt", "two.txt", "last.txt"} and len(set(receiver.ids)) == 3


async def test_a_crash_before_the_end_is_noted_sends_the_end_of_an_operation_once(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    folder = tmp_path / "notes"
    async with receiving() as receiver:
        serving = start(*QUICK)
        client = await new_user(serving)
        name, collection_id = await username_of(client), await collection(client, folder)
        hook = await client.call(
            "POST", "webhooks", {"name": "Mine", "url": receiver.url, "events": ["operation.completed"]}
        )
        assert serving.stop() == 0
        serving = start(*QUICK, env={"SEMANTIK_FAILPOINT": "ending.notified"})
        client = await _again(serving, name)
        await client.call("POST", f"collections/{collection_id}/append", {})
        await _died(serving)
        client = await _again(start(*QUICK), name)
        await until_delivery(client, hook["id"], "delivered")
        await append(client, collection_id)
        await until_delivery(client, hook["id"], "delivered", 2)
        assert len(set(receiver.ids)) == 2


async def test_two_servers_tell_each_passage_once_and_one_takes_over_from_the_other(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    with Two(tmp_path) as two:
        dying = two.start_one("first", *QUICK, *_LEASE, env={"SEMANTIK_FAILPOINT": "alerts.added"})
        second = two.start_one("second", *QUICK, "--alerts-interval-s=1", *_LEASE)
        two.servers = [dying, second]
        async with receiving() as receiver:
            client = await new_user(second)
            collection_id = await collection(client, folder)
            hook = await client.call("POST", "webhooks", {"name": "Mine", "url": receiver.url})
            searches = [await save(client, name=f"{n}", webhook_ids=[hook["id"]]) for n in range(10)]
            lamps = 0
            while lamps < _COMPETING and dying.process.poll() is None:
                await add(client, collection_id, folder, **{f"lamp-{lamps}": f"A green lamp, {lamps}."})
                lamps += 1
                await until_alerts(client, 10 * lamps)
            if dying.process.poll() is None:  # the other one was always the first to get the user's lease
                client_of_dying = await _again(dying, await username_of(client))
                suspend(second.process.pid)
                (folder / f"lamp-{lamps}.txt").write_text(f"A green lamp, {lamps}.")
                lamps += 1
                await client_of_dying.call("POST", f"collections/{collection_id}/append", {})
                await _died(dying)
                second.process.send_signal(signal.SIGCONT)
            assert dying.process.poll() == -signal.SIGKILL
            two.servers = [second]
            await add(client, collection_id, folder, last="A green lamp, at last.")
            expected = 10 * (lamps + 1)
            found = await until_alerts(client, expected)
            pairs = Counter((each["search"]["id"], each["document"]["name"]) for each in found)
            assert set(pairs.values()) == {1} and len(pairs) == expected
            assert {search["id"] for search in searches} == {search for search, _ in pairs}
            await until_delivery(client, hook["id"], "delivered", expected)
            assert len({each.id for each in receiver.received}) == expected
