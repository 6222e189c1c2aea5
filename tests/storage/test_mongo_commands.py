"""What is sent to MongoDB stands in docs/reference/mongodb.md, and the other way round."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from support.crash_fixtures import Home, begin, collection_of, ended, left, newest_operation, signed_in
from support.embedded_stores import store
from support.light_pool import LightPool, light_pools
from support.mongo_commands import PAGE, listed, listener, used

from semantik.commands.store_connection import open_stores
from semantik.core.errors import ConfigError
from semantik.server import running
from semantik.storage.mongo import Store

_SOURCE = Path(__file__).resolve().parents[2] / "semantik" / "storage" / "mongo"
_SCENARIOS = ("index", "append", "retry", "reindex", "remove_source")
# A journey comes across these; others need a reader that was cancelled, or a database of an earlier version.
_USUAL = {
    "find",
    "aggregate",
    "insert",
    "update",
    "delete",
    "findAndModify",
    "ping",
    "endSessions",
    "$set",
    "$inc",
    "$in",
    "$lookup",
    "$unionWith",
    "$group",
    "$sum",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("harbour")
    home = Home(folder / "data", folder / "documents")
    asyncio.run(home.prepare())
    return home


@pytest.fixture(scope="module")
def make_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[partial[LightPool]]:
    with light_pools(tmp_path_factory.mktemp("pool")) as make_pool:
        yield make_pool


@pytest.mark.gen_test
@pytest.mark.server
async def test_a_journey_sends_what_the_page_lists(
    home: Home, make_pool: partial[LightPool], tmp_path: Path
) -> None:
    mine = await home.again(tmp_path / "data")
    listener.seen.clear()
    async with running(mine.settings, make_pool) as server, open_stores(mine.settings) as stores:
        client = await signed_in(server.url)
        assert (await client.call("GET", "health"))["status"] == "ok"
        for scenario in _SCENARIOS:
            await begin(client, scenario, mine.folder)
            operation = await newest_operation(stores.store, await collection_of(client, scenario))
            await ended(client, operation.id)
            assert (await left(stores.store, client, scenario, mine.folder))["documents"]
    assert listener.seen >= _USUAL, _USUAL - listener.seen
    assert listener.seen <= listed(PAGE.read_text())


def test_a_command_that_the_page_does_not_list_is_warned_of(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    words = set(
        used("find", {"find": "rows", "filter": {"$where": "1"}, "hint": "x", "$db": "d", "lsid": {}})
    )
    assert words == {"find", "find.filter", "find.hint", "$where"}
    assert words - listed(PAGE.read_text()) == {"find.hint", "$where"}
    assert set(used("insert", {"insert": "t", "documents": [{"$odd": 1}]})) == {"insert", "insert.documents"}
    update = {"update": "t", "updates": [{"q": {"a": {"$in": ["x"]}}, "u": {"$set": {"b": {"$c": 1}}}}]}
    assert set(used("update", update)) == {"update", "update.updates", "$in", "$set"}


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_the_tests_listen_to_every_client(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    async with store(tmp_path) as opened:
        with caplog.at_level(logging.WARNING):
            await opened._clients[0]["test"]["rows"].distinct("name")
    assert "does not list what is used: distinct, distinct.key" in caplog.text
    listener.seen -= {"distinct", "distinct.key", "distinct.query"}


def test_what_the_page_lists_stands_in_the_source() -> None:
    source = "".join(path.read_text() for path in _SOURCE.glob("*.py"))
    operators = {word for word in listed(PAGE.read_text()) if word.startswith("$")}
    assert len(operators) > 25
    assert {word for word in operators if f'"{word}"' not in source} == set()


def test_the_options_on_the_page_are_the_defaults_of_the_source() -> None:
    rows = dict(re.findall(r"^\| `(\w+MS)` \| ([\d ]+) \|", PAGE.read_text(), re.MULTILINE))
    source = (_SOURCE / "__init__.py").read_text()
    assert len(rows) == 3
    for name, value in rows.items():
        assert f'"{name}": {value.replace(" ", "_")}' in source


@pytest.mark.gen_test
async def test_what_the_url_says_goes_before_the_defaults() -> None:
    url = "mongodb://nowhere.invalid/?w=1&SocketTimeoutMS=99000"
    store = Store(url, "test")
    assert store._clients[0].write_concern.document["w"] == 1
    assert store._clients[0].options.pool_options.socket_timeout == 99
    assert store._clients[0].options.pool_options.connect_timeout == 10
    store._clients[0].close()
    store = Store("mongodb://nowhere.invalid/", "test")
    assert store._clients[0].write_concern.document == {"w": "majority", "wtimeout": 10_000}
    store._clients[0].close()


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("option", "words"),
    [("readPreference=secondary", "readPreference must be primary"), ("w=0", "w must not be 0")],
)
async def test_addresses_with_which_servers_cannot_agree_are_refused(option: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Store(f"mongodb://nowhere.invalid/?{option}", "test")
