"""`Retry-After` of a receiver: nothing is sent to it before that, but no longer than the longest pause is waited."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from support.alerts import QUICK, until_delivery
from support.api import new_user
from support.server import Serving
from support.webhook_receiver import receiving
from tornado.web import RequestHandler

from semantik.services.notifications.webhook_sender import seconds_of

pytestmark = pytest.mark.gen_test

_SAID_S = 2


async def test_nothing_is_sent_before_the_receiver_wants_it(quick: Serving) -> None:
    client = await new_user(quick)
    times: list[float] = []

    async def busy(handler: RequestHandler) -> None:
        await client.call("POST", f"webhooks/{hook['id']}/test")  # waits, too
        times.append(time.monotonic())
        handler.set_status(429)
        handler.set_header("Retry-After", str(_SAID_S))

    def taken(_: RequestHandler) -> None:
        times.append(time.monotonic())

    async with receiving(busy, taken) as receiver:
        hook = await client.call("POST", "webhooks", {"name": "Busy", "url": receiver.url})
        await client.call("POST", f"webhooks/{hook['id']}/test")
        await until_delivery(client, hook["id"], "delivered", 2)
    refused, *later = times
    assert len(later) == 2 and min(later) - refused >= _SAID_S
    assert len(set(receiver.ids)) == 2


async def test_a_receiver_cannot_put_it_off_for_ever(start: Callable[..., Serving]) -> None:
    serving = start(*QUICK, "--webhooks-retry-max-s=0.2")
    client = await new_user(serving)

    def away(handler: RequestHandler) -> None:
        handler.set_status(503)
        handler.set_header("Retry-After", "86400")

    async with receiving(away, 204) as receiver:
        hook = await client.call("POST", "webhooks", {"name": "Away", "url": receiver.url})
        await client.call("POST", f"webhooks/{hook['id']}/test")
        sent = await until_delivery(client, hook["id"], "delivered")
        assert sent["attempts"] == 2


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 60),
        ("Fri, 31 Dec 1999 22:59:59 GMT", 0),
        ("Fri, 31 Dec 1999 23:59:59 -0000", 60),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("1.5", 0),
        ("²", 0),
        ("Fri, 99 Dec 1999 23:59:59 GMT", 0),
    ],
)
def test_both_forms_are_read_and_nothing_else(said: str, seconds: float) -> None:
    assert seconds_of(said, 946_684_739) == seconds


def test_a_number_of_any_length_is_one() -> None:
    assert seconds_of("9" * 5000, 0) == float("inf")
