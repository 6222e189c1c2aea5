"""The commands of docs/how-to/alerts.md, run as they stand but for the address; and its example in Python."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.alerts import LAMP, QUICK, add, collection, until_alerts, until_delivery
from support.api import PASSWORD, new_user
from support.people import username_of
from support.server import ROOT, Serving
from support.webhook_receiver import receiving

pytestmark = pytest.mark.gen_test

_PAGE = (ROOT / "docs" / "how-to" / "alerts.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", _PAGE, re.DOTALL | re.MULTILINE)


async def _run(script: str, **env: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu", "-c", script),
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, (script, out, err)
    return out.decode()


async def test_the_commands_save_a_search_and_show_what_it_finds(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*QUICK)
    client = await new_user(serving)
    collection_id = await collection(client, tmp_path / "notes")
    user = {"NAME": await username_of(client), "PASSWORD": PASSWORD}
    blocks = [block.replace("http://localhost:8080", serving.url) for block in _blocks("sh")]
    signing_in, saving, *following = blocks
    async with receiving() as receiver:
        out = await _run(signing_in + saving + 'echo "$SEARCH"', **user)
        saved = out.split()[-1]
        await add(client, collection_id, tmp_path / "notes", lamp=LAMP)
        await until_alerts(client, 1, search_id=saved)
        out = await _run(signing_in + f"SEARCH={saved}\n" + "".join(following), **user, HOOK_URL=receiver.url)
        assert out.count(LAMP) >= 3 and '"name": "Green lamps"' in out and "<entry>" in out
        sent = await receiver.next()
        [hook] = (await client.call("GET", "webhooks"))["items"]
        await until_delivery(client, hook["id"], "delivered")
        example: dict[str, Any] = {}
        exec(_blocks("python")[0], example)
        headers = {"webhook-id": sent.id, "webhook-timestamp": sent.timestamp}
        headers["webhook-signature"] = sent.signature
        secret = re.findall(r'"secret": "(whsec_[^"]+)"', out)[0]
        assert example["verified"](secret, headers, sent.body)
        assert not example["verified"](secret, headers, sent.body + b" ")
        assert not example["verified"](secret, {**headers, "webhook-timestamp": "1614265330"}, sent.body)
