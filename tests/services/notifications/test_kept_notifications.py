"""How long alerts, webhooks and deliveries are kept, and what goes with a document, a collection and a user."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import timedelta
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
from support.api import PASSWORD, new_user
from support.fake_operation import server_stores
from support.patience import deadline
from support.people import username_of
from support.server import SETUP_CODE, Serving
from support.webhook_receiver import receiving

from semantik.client.api import Client
from semantik.config.settings import Settings
from semantik.core.models import Alert, Delivery, now
from semantik.services.notifications.upkeep import NotificationUpkeep
from semantik.storage.mongo import Store

pytestmark = pytest.mark.gen_test


async def _alerted(client: Client, folder: Path, url: str) -> tuple[str, str, str]:
    """The ids of a collection, a saved search and a webhook, with one alert that was delivered."""
    collection_id = await collection(client, folder)
    hook = await client.call("POST", "webhooks", {"name": "Mine", "url": url})
    saved = await save(client, webhook_ids=[hook["id"]])
    await add(client, collection_id, folder, lamp=LAMP)
    await until_alerts(client, 1)
    await until_delivery(client, hook["id"], "delivered")
    return collection_id, saved["id"], hook["id"]


def _old_copies(alert: Alert, delivery: Delivery, settings: Settings) -> tuple[Alert, Delivery]:
    """The same, made a minute before they are too old."""
    minute = timedelta(minutes=1)
    alert_time = now() - timedelta(days=settings.alerts.keep_days) - minute
    delivery_time = now() - timedelta(days=settings.webhooks.keep_days) - minute
    number = alert.number + 1
    return (
        dataclasses.replace(alert, id="old", number=number, created_at=alert_time),
        dataclasses.replace(delivery, id="msg_old", created_at=delivery_time),
    )


async def test_what_is_too_old_and_alerts_of_documents_that_are_gone_are_removed(
    quick: Serving, tmp_path: Path
) -> None:
    client, folder, settings = await new_user(quick), tmp_path / "notes", Settings()
    async with receiving() as receiver, server_stores(quick) as (store, _):
        collection_id, _, hook_id = await _alerted(client, folder, receiver.url)
        [known], [sent] = await alerts(client), await deliveries(client, hook_id)
        alert, delivery = await store.alerts.get(known["id"]), await store.deliveries.get(sent["id"])
        assert alert is not None and delivery is not None
        old_alert, old_delivery = _old_copies(alert, delivery, settings)
        await store.alerts.add([old_alert])
        await store.deliveries.queue([old_delivery])
        upkeep = NotificationUpkeep(store, lambda: settings)
        await upkeep.remove_old()
        assert await store.alerts.get("old") is None and await store.deliveries.get("msg_old") is None
        assert await store.alerts.get(alert.id) is not None
        assert await store.deliveries.get(delivery.id) is not None
        (folder / "lamp.txt").unlink()
        await append(client, collection_id)
        assert await alerts(client) == []
        await upkeep.remove_old()
        assert await store.alerts.get(alert.id) is None
        assert await store.deliveries.get(delivery.id) is not None


async def _rows(store: Store, user_id: str) -> dict[str, int]:
    return {
        "alerts": len(await store.alerts.after(user_id, 0, 100)),
        "searches": len(await store.saved_searches.of_user(user_id)),
        "webhooks": len(await store.webhooks.of_user(user_id)),
        "deliveries": (await store.by_owner.storage_size("deliveries", user_id)).rows,
    }


async def test_a_collection_takes_its_alerts_and_deliveries_along_and_leaves_the_searches(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*QUICK, "--progress-linger-s=0.2")
    client = await new_user(serving)
    user = await client.call("GET", "auth/me")
    async with receiving() as receiver, server_stores(serving) as (store, _):
        collection_id, saved_id, hook_id = await _alerted(client, tmp_path / "notes", receiver.url)
        await client.call("PATCH", f"saved-searches/{saved_id}", {"collection_ids": [collection_id]})
        await client.call("DELETE", f"collections/{collection_id}")
        assert await alerts(client) == []
        expected = {"alerts": 0, "searches": 1, "webhooks": 1, "deliveries": 0}
        async with deadline():
            while await _rows(store, user["id"]) != expected:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        kept = await client.call("GET", f"saved-searches/{saved_id}")
        assert kept["collection_ids"] == [collection_id] and kept["webhook_ids"] == [hook_id]


async def test_a_user_takes_everything_along(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start(*QUICK)
    admin = Client(serving.url)
    await admin.register("root", PASSWORD, SETUP_CODE)
    await admin.sign_in("root", PASSWORD)
    client = await new_user(serving)
    user = await client.call("GET", "auth/me")
    async with receiving() as receiver, server_stores(serving) as (store, _):
        await _alerted(client, tmp_path / "notes", receiver.url)
        assert all((await _rows(store, user["id"])).values())
        await admin.call("DELETE", f"users/{user['id']}", transfer_to="root")
        assert not any((await _rows(store, user["id"])).values())
        assert (await store.alerts.last_numbers([user["id"]])) == {user["id"]: 0}
        assert await username_of(admin) == "root" and len(receiver.received) == 1
