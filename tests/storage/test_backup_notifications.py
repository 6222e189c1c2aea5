"""A back-up has saved searches, alerts, webhooks and deliveries, but not the key of the webhooks' secrets."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.alerts import (
    LAMP,
    QUICK,
    add,
    alerts,
    append,
    collection,
    deliveries,
    save,
    until_alerts,
    until_delivery,
)
from support.api import new_user
from support.patience import deadline
from support.server import Serving
from support.webhook_receiver import receiving
from test_backup import run_backup

from semantik.client.api import Client

pytestmark = [
    pytest.mark.gen_test,
    pytest.mark.skipif("os.environ.get('SEMANTIK_TEST_MONGO_URL')", reason="for the embedded MongoDB"),
]


async def test_what_was_told_is_restored_and_not_told_again(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving, file, folder = start(*QUICK), tmp_path / "monday.backup", tmp_path / "notes"
    client = await new_user(serving)
    collection_id = await collection(client, folder)
    async with receiving() as receiver:
        hook = await client.call("POST", "webhooks", {"name": "Mine", "url": receiver.url})
        place = f"webhooks/{hook['id']}"
        await save(client, webhook_ids=[hook["id"]])
        await add(client, collection_id, folder, lamp=LAMP)
        before = await until_alerts(client, 1)
        await until_delivery(client, hook["id"], "delivered")
        told = await client.call("GET", "saved-searches"), await deliveries(client, hook["id"])
        status, output = await asyncio.to_thread(run_backup, file, "--data", serving.data)
        assert status == 0, output
        key = (serving.data / "webhooks.key").read_bytes()
        serving.stop()
        shutil.rmtree(serving.data)
        status, output = await asyncio.to_thread(run_backup, "--restore", file, "--data", serving.data)
        assert status == 0 and not (serving.data / "webhooks.key").exists(), output

        serving = start(*QUICK)
        client = Client(serving.url, client.token)
        assert await alerts(client) == before
        assert (await client.call("GET", "saved-searches"), await deliveries(client, hook["id"])) == told
        await client.call("POST", f"{place}/test")
        async with deadline():
            while not (waiting := (await deliveries(client, hook["id"]))[-1])["error"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert waiting["status"] == "pending" and "give it a new secret" in waiting["error"]
        assert len(receiver.received) == 1
        renewed = await client.call("POST", f"{place}/secret")
        assert renewed["previous_secret_until"] is None
        await until_delivery(client, hook["id"], "delivered", 2)
        assert receiver.received[-1].is_signed_with(renewed["secret"])
        assert not receiver.received[-1].is_signed_with(hook["secret"])
        await append(client, collection_id)
        await add(client, collection_id, folder, two="A green lamp shines.")
        found = await until_alerts(client, 2)
        assert [each["document"]["name"] for each in found] == ["lamp.txt", "two.txt"]

        serving.stop()
        shutil.rmtree(serving.data)
        status, output = await asyncio.to_thread(run_backup, "--restore", file, "--data", serving.data)
        assert status == 0, output
        (serving.data / "webhooks.key").write_bytes(key)
        client = Client(start(*QUICK).url, client.token)
        await client.call("POST", f"{place}/test")
        await until_delivery(client, hook["id"], "delivered", 2)
        assert receiver.received[-1].is_signed_with(hook["secret"])
