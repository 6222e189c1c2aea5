"""The setup code: without it nobody becomes the administrator of a new server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.api import PASSWORD, refusal_of
from support.server import SETUP_CODE, Serving

from semantik.client.api import Client
from semantik.client.websocket import Refused

pytestmark = pytest.mark.gen_test

_PRINTS_ITS_CODE = {"SEMANTIK_AUTH_SETUP_CODE": ""}


def _printed_line(serving: Serving) -> str:
    assert serving.process.stdout is not None
    return serving.process.stdout.readline()


async def test_the_printed_code_creates_the_administrator_and_is_good_once(
    start: Callable[..., Serving],
) -> None:
    serving = start(env=_PRINTS_ITS_CODE)
    line = _printed_line(serving)
    assert line.startswith("There is no user yet") and f" {serving.url}/#/setup?code=" in line
    code = line.strip().rpartition("=")[2]
    serving.stop()
    serving = start(env=_PRINTS_ITS_CODE)
    assert _printed_line(serving).strip().endswith(code)  # the same after a restart

    client = Client(serving.url)
    for wrong in ("", "AAAAA-AAAAA-AAAAA-AAAAA", code[:-1]):
        with pytest.raises(Refused, match="setup code") as refused:
            await client.register("eve", PASSWORD, wrong)
        assert refused.value.status == 403
    await client.register("ann", PASSWORD, f" {code.lower().replace('-', '')} ")
    with pytest.raises(Refused, match="closed"):
        await client.register("bob", PASSWORD, code)
    serving.stop()
    serving = start(env=_PRINTS_ITS_CODE)
    serving.stop()
    assert _printed_line(serving) == ""


async def test_a_code_of_the_configuration_is_not_printed(start: Callable[..., Serving]) -> None:
    serving = start("--auth-registration", "open")
    line = _printed_line(serving)
    assert "auth.setup_code" in line and SETUP_CODE not in line
    client = Client(serving.url)
    body = {"username": "eve", "password": PASSWORD}
    refusal = await refusal_of(client, "POST", "auth/register", body)
    assert refusal.status == 403
    await client.register("ann", PASSWORD, SETUP_CODE)
    await client.register("bob", PASSWORD)  # the second user of an open server needs none
