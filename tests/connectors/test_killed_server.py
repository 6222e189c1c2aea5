"""Mailboxes and web sites as sources of a server that is killed in the middle of a scan; and a watch by the clock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import PASSWORD as USER_PASSWORD
from support.connected import LOOPBACK, ConnectedSource, connected, dies
from support.crash_fixtures import USER as KEEPER
from support.crash_fixtures import signed_in
from support.dovecot import PASSWORD, USER, dovecot
from support.server import SETUP_CODE, Serving
from support.watched_source import QUICK, wait_until
from support.web_server import web_site

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy]

_FLAGS = (*LOOPBACK, *QUICK)


async def _add_and_die(start: Callable[..., Serving], kind: str, options: dict[str, Any]) -> tuple[str, str]:
    """Add a source to a server that dies after the third item, and again at the end of the scan; returns the ids of the
    collection and the operation."""
    serving = start(*_FLAGS, env={"SEMANTIK_FAILPOINT": "fetching.kept:3"})
    client = Client(serving.url)
    await client.register(KEEPER, USER_PASSWORD, SETUP_CODE)
    await client.sign_in(KEEPER, USER_PASSWORD)
    collection_id = (await connected(client)).id
    body = {"kind": kind, "options": options}
    added = await client.call("POST", f"collections/{collection_id}/sources", body)
    await dies(serving)
    await dies(start(*_FLAGS, env={"SEMANTIK_FAILPOINT": "fetching.finished"}))
    return collection_id, added["operation_id"]


async def _resumed(serving: Serving, collection_id: str, operation_id: str) -> ConnectedSource:
    source = ConnectedSource(await signed_in(serving.url), collection_id)
    [source.source] = (await source.client.call("GET", f"collections/{collection_id}/sources"))["items"]
    assert (await source.end_of(operation_id))["status"] == "completed"
    view = await source.client.call("GET", f"collections/{collection_id}")
    assert view["chunk_count"] == view["stats"]["vectors"]
    return source


async def test_mail_that_comes_while_the_server_is_down_is_found_once(start: Callable[..., Serving]) -> None:
    with dovecot() as mail:
        for each in range(6):
            mail.put(f"Letter {each}", f"Letter {each} of the port.")
        own = {
            "host": "127.0.0.1",
            "port": mail.port,
            "security": "none",
            "username": USER,
            "password": PASSWORD,
        }
        ids = await _add_and_die(start, "imap", own)
        mail.put("Letter 6", "It came while nobody was there.")
        mail.remove("Letter 0")
        source = await _resumed(start(*_FLAGS), *ids)
        found = await source.documents()
        assert {each["title"] for each in found.values()} >= {f"Letter {each}" for each in range(1, 6)}
        assert len(found) in (5, 6, 7)  # what changed after the list was made is for the next scan
        await source.scan()

        async def titles() -> list[str]:
            return sorted(
                each["title"] for each in (await source.documents()).values() if each["status"] == "indexed"
            )

        assert await titles() == [f"Letter {each}" for each in range(1, 7)]
        path = f"collections/{source.id}/sources/{source.source['id']}"
        await source.client.call("PATCH", path, {"interval_s": 1})
        mail.put("Letter 7", "It is found by the clock.")

        async def is_found() -> bool:
            return await titles() == [f"Letter {each}" for each in range(1, 8)]

        await wait_until(is_found)


async def test_a_site_that_was_half_read_is_read_to_its_end_once(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    with web_site(tmp_path / "web") as site:
        links = "".join(f'<a href="{each}.html">page</a>' for each in range(6))
        site.write({"docs/index.html": f"<!doctype html><title>Start</title><p>The port.</p>{links}"})
        site.write(
            {f"docs/{each}.html": f"<!doctype html><p>Page {each} of the port.</p>" for each in range(6)}
        )
        ids = await _add_and_die(start, "web", {"url": f"{site.url}/docs/"})
        serving = start(*_FLAGS)
        source = await _resumed(serving, *ids)
        found = await source.documents()
        assert set(found) == {"index.html", *(f"{each}.html" for each in range(6))}
        assert {each["status"] for each in found.values()} == {"indexed"}
        kept = serving.data / "sources" / source.source["id"]
        assert kept.is_dir()
        await source.client.call("DELETE", f"collections/{source.id}")

        async def is_gone() -> bool:
            return not kept.exists()

        await wait_until(is_gone)
