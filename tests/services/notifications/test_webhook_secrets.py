"""Secrets of webhooks are replaced: for a time both sign, or at once only the new one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.api import new_user, refusal_of
from support.patience import deadline
from support.server import Serving
from support.webhook_receiver import Received, Receiver, receiving

from semantik.client.api import Client
from semantik.services.notifications.signature import signed_headers

pytestmark = pytest.mark.gen_test


async def _hook(client: Client, url: str) -> dict[str, Any]:
    made: dict[str, Any] = await client.call("POST", "webhooks", {"name": "Mine", "url": url})
    return made


async def _tested(client: Client, hook: dict[str, Any], receiver: Receiver) -> Received:
    await client.call("POST", f"webhooks/{hook['id']}/test")
    return await receiver.next()


async def test_both_secrets_sign_until_the_overlap_ends(quick: Serving) -> None:
    client = await new_user(quick)
    async with receiving() as receiver:
        old = await _hook(client, receiver.url)
        assert old["previous_secret_until"] is None
        new = await client.call("POST", f"webhooks/{old['id']}/secret")
        assert new["secret"] != old["secret"] and new["previous_secret_until"] > new["created_at"]
        assert "secret" not in await client.call("GET", f"webhooks/{old['id']}")
        got = await _tested(client, old, receiver)
        assert got.is_signed_with(new["secret"]) and got.is_signed_with(old["secret"])
        newer = await client.call("POST", f"webhooks/{old['id']}/secret", {"overlap_s": 1})
        got = await _tested(client, old, receiver)
        assert got.is_signed_with(newer["secret"]) and not got.is_signed_with(old["secret"])
        async with deadline():
            while got.is_signed_with(new["secret"]):
                await asyncio.sleep(0.1)
                got = await _tested(client, old, receiver)
        assert got.is_signed_with(newer["secret"])


async def test_a_leaked_secret_ends_at_once(quick: Serving) -> None:
    client, stranger = await new_user(quick), await new_user(quick)
    async with receiving() as receiver:
        old = await _hook(client, receiver.url)
        new = await client.call("POST", f"webhooks/{old['id']}/secret", {"overlap_s": 0})
        assert new["previous_secret_until"] is None
        got = await _tested(client, old, receiver)
        assert got.is_signed_with(new["secret"]) and not got.is_signed_with(old["secret"])
    refused = await refusal_of(client, "POST", f"webhooks/{old['id']}/secret", {"overlap_s": 604_801})
    assert refused.status == 422 and "overlap_s" in str(refused)
    assert (await refusal_of(stranger, "POST", f"webhooks/{old['id']}/secret")).status == 404


async def test_of_two_who_rotate_at_once_nobody_gets_a_secret_that_is_not_good(quick: Serving) -> None:
    client = await new_user(quick)
    async with receiving() as receiver:
        hook = await _hook(client, receiver.url)
        place = f"webhooks/{hook['id']}/secret"
        made = await asyncio.gather(*(client.call("POST", place) for _ in range(8)), return_exceptions=True)
        secrets = {each["secret"] for each in made if isinstance(each, dict)}
        refusals = [each for each in made if isinstance(each, BaseException)]
        assert secrets and all(getattr(each, "status", 0) == 409 for each in refusals)
        got = await _tested(client, hook, receiver)
        assert sum(got.is_signed_with(each) for each in secrets) == min(len(secrets), 2)


def test_each_secret_gives_a_signature_of_its_own() -> None:
    first, second = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c29tZXRoaW5nIGVsc2U="
    alone = [
        signed_headers([each], "msg_1", 1614265330, b"{}")["webhook-signature"] for each in (first, second)
    ]
    both = signed_headers([first, second], "msg_1", 1614265330, b"{}")["webhook-signature"]
    assert both == " ".join(alone) and alone[0] != alone[1]
