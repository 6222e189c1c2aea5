"""Webhooks: what is sent, signed, tried again, refused and dropped."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from support.alerts import (
    LAMP,
    add,
    append,
    collection,
    deliveries,
    save,
    until_alerts,
    until_delivery,
)
from support.api import new_user, refusal_of
from support.people import share
from support.server import Serving
from support.webhook_receiver import receiving
from tornado.web import RequestHandler

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


async def _hook(client: Client, url: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = await client.call("POST", "webhooks", {"name": "Mine", "url": url, **more})
    return made


async def test_an_alert_is_sent_once_signed_and_can_be_sent_again(quick: Serving, tmp_path: Path) -> None:
    client, folder = await new_user(quick), tmp_path / "notes"
    collection_id = await collection(client, folder)
    async with receiving() as receiver:
        hook = await _hook(client, receiver.url)
        saved = await save(client, webhook_ids=[hook["id"]])
        await add(client, collection_id, folder, lamp=LAMP)
        got = await receiver.next()
        assert got.is_signed_with(hook["secret"])
        assert not got.is_signed_with("whsec_c29tZXRoaW5nIGVsc2U=")
        assert got.json["type"] == "search.matched"
        assert got.data["search"]["id"] == saved["id"] and got.data["passage"] == LAMP
        [alert] = await until_alerts(client, 1)
        assert alert["id"] == got.data["id"]
        sent = await until_delivery(client, hook["id"], "delivered")
        assert (sent["id"], sent["attempts"], sent["status_code"]) == (got.id, 1, 204)
        again = await client.call("POST", f"webhooks/{hook['id']}/deliveries/{sent['id']}/again")
        repeated = await receiver.next()
        assert (repeated.data, repeated.id) == (got.data, again["id"]) and repeated.id != got.id
        await client.call("POST", f"webhooks/{hook['id']}/test")
        assert (await receiver.next()).json["type"] == "test"
        await until_delivery(client, hook["id"], "delivered", 3)
        assert len(set(receiver.ids)) == len(receiver.ids) == 3
    assert "secret" not in await client.call("GET", f"webhooks/{hook['id']}")


async def test_a_receiver_that_fails_gets_the_same_message_again(quick: Serving, tmp_path: Path) -> None:
    client = await new_user(quick)

    def cut(handler: RequestHandler) -> None:
        handler.detach().close()

    async with receiving(500, cut, 307, 200) as receiver:
        hook = await _hook(client, receiver.url)
        await client.call("POST", f"webhooks/{hook['id']}/test")
        sent = await until_delivery(client, hook["id"], "delivered")
        assert sent["attempts"] == 4 and len(set(receiver.ids)) == 1
        assert all(each.is_signed_with(hook["secret"]) for each in receiver.received)


async def test_attempts_are_bounded_and_410_ends_a_webhook(quick: Serving) -> None:
    client = await new_user(quick)
    async with receiving(503) as receiver:
        hook = await _hook(client, receiver.url)
        await client.call("POST", f"webhooks/{hook['id']}/test")
        failed = await until_delivery(client, hook["id"], "failed")
        assert failed["attempts"] == 4 == len(receiver.received)
        assert failed["error"] == "The receiver answers 503." and failed["next_attempt_at"] is None
    async with receiving(410) as receiver:
        hook = await _hook(client, receiver.url)
        await client.call("POST", f"webhooks/{hook['id']}/test")
        await until_delivery(client, hook["id"], "failed")
        assert "410" in (await client.call("GET", f"webhooks/{hook['id']}"))["disabled"]
        await client.call("POST", f"webhooks/{hook['id']}/test")
        await until_delivery(client, hook["id"], "dropped")
        assert len(receiver.received) == 1
        changed = await client.call("PATCH", f"webhooks/{hook['id']}", {"url": receiver.url})
        assert changed["disabled"] is None


async def test_a_receiver_that_stalls_delays_no_other_and_no_redirect_is_followed(quick: Serving) -> None:
    client = await new_user(quick)
    released = asyncio.Event()

    def redirect(handler: RequestHandler) -> None:
        handler.redirect(other.url)

    async with (
        receiving(lambda _: released.wait()) as stalled,
        receiving() as other,
        receiving(redirect) as redirecting,
    ):
        slow, away = await _hook(client, stalled.url), await _hook(client, redirecting.url)
        fine = await _hook(client, other.url, name="Fine")
        for each in (slow, away, fine):
            await client.call("POST", f"webhooks/{each['id']}/test")
        assert (await other.next()).is_signed_with(fine["secret"])
        assert "redirects are not followed" in (await until_delivery(client, away["id"], "failed"))["error"]
        assert "no answer within" in (await until_delivery(client, slow["id"], "failed"))["error"]
        assert len(other.received) == 1
        released.set()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://10.1.2.3/hook", "private address 10.1.2.3"),
        ("http://[::1]:9/hook", "private address ::1"),
        ("http://[::ffff:10.0.0.1]/hook", "private address"),
        ("http://169.254.169.254/latest/meta-data", "private address 169.254.169.254"),
        ("http://0x0a.1/", "private address 10.0.0.1"),
        ("http://192.168.0.1:8080/", "webhooks.private_networks"),
    ],
)
async def test_private_addresses_are_not_reached(quick: Serving, url: str, said: str) -> None:
    client = await new_user(quick)
    hook = await _hook(client, url)
    await client.call("POST", f"webhooks/{hook['id']}/test")
    failed = await until_delivery(client, hook["id"], "failed")
    assert said in failed["error"] and failed["status_code"] is None


async def test_addresses_that_are_none_are_refused_and_no_password_is_repeated(quick: Serving) -> None:
    client = await new_user(quick)
    for url in ("ftp://example.org", "http://", "https://example.org/ä", "https://example.org/#x", "x"):
        refused = await refusal_of(client, "POST", "webhooks", {"name": "Bad", "url": url})
        assert refused.status == 422 and "url is not allowed" in str(refused)
    refused = await refusal_of(client, "POST", "webhooks", {"name": "Bad", "url": "https://me:s3cret@a.org/"})
    assert "s3cret" not in str(refused)
    assert (await client.call("GET", "webhooks"))["items"] == []


async def test_the_events_of_operations_are_sent_to_whoever_may_read_the_collection(
    quick: Serving, tmp_path: Path
) -> None:
    owner, reader, folder = await new_user(quick), await new_user(quick), tmp_path / "notes"
    collection_id, other_id = await collection(owner, folder), await collection(owner, folder, "Other")
    await share(owner, collection_id, reader, "read")
    async with receiving() as mine, receiving() as theirs:
        events = ["operation.started", "operation.completed"]
        await _hook(owner, mine.url, events=events, collection_ids=[collection_id])
        await _hook(reader, theirs.url, events=["operation.completed", "operation.failed"])
        ended = await append(owner, collection_id)
        begun, done = await mine.next(), await mine.next()
        assert (begun.json["type"], begun.data["status"]) == ("operation.started", "processing")
        assert (done.json["type"], done.data["status"]) == ("operation.completed", "completed")
        assert done.data["operation_id"] == ended["operation_id"] == begun.data["operation_id"]
        assert done.data["collection"] == {"id": collection_id, "name": "Notes"}
        assert done.data["documents"]["failed"] == 0
        assert (await theirs.next()).data["operation_id"] == ended["operation_id"]
        user = await reader.call("GET", "auth/me")
        await owner.call("DELETE", f"collections/{collection_id}/shares/user/{user['id']}")
        await append(owner, other_id)
        await append(owner, collection_id)
        assert (await mine.next()).json["type"] == "operation.started"
        assert (await mine.next()).json["type"] == "operation.completed"
        assert len(theirs.received) == 1 and len(mine.received) == 4


async def test_what_waits_for_a_receiver_is_dropped_with_the_right_to_read_it(
    quick: Serving, tmp_path: Path
) -> None:
    owner, reader, folder = await new_user(quick), await new_user(quick), tmp_path / "notes"
    collection_id = await collection(owner, folder)
    await share(owner, collection_id, reader, "read")
    user = await reader.call("GET", "auth/me")

    async def revoke(handler: RequestHandler) -> None:
        await owner.call("DELETE", f"collections/{collection_id}/shares/user/{user['id']}")
        handler.set_status(500)

    async with receiving(revoke, 200) as receiver:
        hook = await _hook(reader, receiver.url, events=["operation.completed"])
        await append(owner, collection_id)
        dropped = await until_delivery(reader, hook["id"], "dropped")
        assert "may not be read" in dropped["error"] and len(receiver.received) == 1


async def test_other_users_see_no_webhook_and_limits_hold(quick: Serving, tmp_path: Path) -> None:
    client, stranger = await new_user(quick), await new_user(quick)
    hook = await _hook(client, "https://example.org/")
    for method, place in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("GET", "/deliveries"),
        ("POST", "/deliveries/x/again"),
    ):
        refused = await refusal_of(stranger, method, f"webhooks/{hook['id']}{place}")
        assert refused.status == 404
    body = {"name": "A", "query": "lamp", "webhook_ids": [hook["id"]]}
    assert (await refusal_of(stranger, "POST", "saved-searches", body)).status == 404
    for _ in range(4):
        await _hook(client, "https://example.org/")
    refused = await refusal_of(client, "POST", "webhooks", {"name": "6th", "url": "https://example.org/"})
    assert refused.status == 409 and "webhooks.per_user" in str(refused)
    saved = await save(client, webhook_ids=[hook["id"]])
    await client.call("DELETE", f"webhooks/{hook['id']}")
    assert (await client.call("GET", f"saved-searches/{saved['id']}"))["webhook_ids"] == []
    assert await deliveries(client, (await client.call("GET", "webhooks"))["items"][0]["id"]) == []
