"""Saved searches: what gives an alert, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.alerts import LAMP, QUICK, add, alerts, append, collection, names_of_alerts, save, until_alerts
from support.api import new_user
from support.people import share
from support.server import Serving

pytestmark = pytest.mark.gen_test


async def test_what_is_newly_indexed_and_matches_strongly_gives_one_alert(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*QUICK)
    client, folder = await new_user(serving), tmp_path / "notes"
    (folder).mkdir()
    (folder / "before.txt").write_text(LAMP)
    collection_id = await collection(client, folder)
    saved = await save(client)
    await add(client, collection_id, folder, after="The green lamp of the harbour.", other="Wine is dark.")
    [alert] = await until_alerts(client, 1)
    assert alert["document"]["name"] == "after.txt"
    assert alert["passage"] == "The green lamp of the harbour."
    assert alert["search"] == {"id": saved["id"], "name": "About green lamp"}
    assert alert["collection"] == {"id": collection_id, "name": "Notes"}
    # A further one comes later, and nothing comes twice.
    await add(client, collection_id, folder, later="A lamp, green as the sea.")
    await until_alerts(client, 2)
    await append(client, collection_id)
    await add(client, collection_id, folder, last="The lamp on the wall is green.")
    await until_alerts(client, 3)
    assert await names_of_alerts(client) == ["after.txt", "later.txt", "last.txt"]
    [view] = (await client.call("GET", "saved-searches"))["items"]
    assert view["alert_count"] == 3 and view["problem"] is None
