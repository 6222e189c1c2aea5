"""Alerts as they come: over the socket, the event stream, and as a feed."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from defusedxml import ElementTree
from support.alerts import LAMP, add, collection, save, until_alerts
from support.api import new_user, refusal_of
from support.clients import Frame, closing, connect, receive
from support.patience import patience
from support.people import share
from support.server import Serving
from tornado.websocket import WebSocketClientConnection

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test
_ATOM = "{http://www.w3.org/2005/Atom}"


async def _socket(serving: Serving, client: Client, **query: str) -> WebSocketClientConnection:
    return await connect(serving, "/ws/alerts", {"token": client.token, **query})


async def _next(socket: WebSocketClientConnection) -> Frame:
    frame = await receive(socket)
    assert frame is not None, socket.close_reason
    return frame


async def _name(socket: WebSocketClientConnection) -> str:
    frame = await _next(socket)
    assert frame["type"] == "search_matched"
    name: str = frame["data"]["document"]["name"]
    return name


async def test_a_socket_gets_each_alert_once_and_continues_where_it_was(
    quick: Serving, tmp_path: Path
) -> None:
    client, folder = await new_user(quick), tmp_path / "notes"
    collection_id = await collection(client, folder)
    await save(client)
    socket = await _socket(quick, client)
    first = await _next(socket)
    assert (first["type"], first["data"]) == ("alerts_state", {"last_number": 0})
    await add(client, collection_id, folder, one=LAMP)
    found = await _next(socket)
    assert found["data"]["document"]["name"] == "one.txt" and found["data"]["passage"] == LAMP
    socket.close()
    await add(client, collection_id, folder, two="A green lamp shines.")
    await until_alerts(client, 2)
    again = await _socket(quick, client, since=str(found["data"]["number"]))
    assert (await _next(again))["type"] == "alerts_state"
    assert await _name(again) == "two.txt"
    await add(client, collection_id, folder, three="The lamp on the wall is green.")
    assert await _name(again) == "three.txt"
    all_of_it = await _socket(quick, client, since="0")
    await _next(all_of_it)
    assert [await _name(all_of_it) for _ in range(3)] == ["one.txt", "two.txt", "three.txt"]
    await again.write_message("ping")
    assert (await _next(again))["type"] == "pong"
    refused = await _socket(quick, client, since="soon")
    assert (await closing(refused))[0] == 1008
    for each in (again, all_of_it):
        each.close()


async def test_a_socket_gets_nothing_of_what_may_not_be_read(quick: Serving, tmp_path: Path) -> None:
    owner, reader, folder = await new_user(quick), await new_user(quick), tmp_path / "notes"
    collection_id, own_id = await collection(owner, folder), await collection(reader, tmp_path / "own", "Own")
    user = await reader.call("GET", "auth/me")
    await share(owner, collection_id, reader, "read")
    await save(reader)
    await add(owner, collection_id, folder, secret=LAMP)
    await until_alerts(reader, 1)
    await owner.call("DELETE", f"collections/{collection_id}/shares/user/{user['id']}")
    socket = await _socket(quick, reader, since="0")
    await _next(socket)
    await add(reader, own_id, tmp_path / "own", mine=LAMP)
    assert await _name(socket) == "mine.txt"
    socket.close()


async def test_an_event_stream_has_the_same_with_numbers_as_ids(quick: Serving, tmp_path: Path) -> None:
    client, folder = await new_user(quick), tmp_path / "notes"
    collection_id = await collection(client, folder)
    await save(client)
    await add(client, collection_id, folder, one=LAMP)
    [alert] = await until_alerts(client, 1)
    headers = {"Authorization": f"Bearer {client.token}", "Last-Event-ID": "0"}
    request = urllib.request.Request(f"{quick.url}/api/v2/alerts/events", headers=headers)
    lines = await asyncio.to_thread(_lines, request, 4)
    assert lines[0] == ": from here"
    assert lines[2] == f"id: {alert['number']}"
    assert lines[3].startswith("data: ") and '"search_matched"' in lines[3] and LAMP in lines[3]
    new_only = urllib.request.Request(
        f"{quick.url}/api/v2/alerts/events", headers={"Authorization": headers["Authorization"]}
    )
    state = await asyncio.to_thread(_lines, new_only, 2)
    assert state[0] == f"id: {alert['number']}" and '"alerts_state"' in state[1]


def _lines(request: urllib.request.Request, number: int) -> list[str]:
    with urllib.request.urlopen(request, timeout=patience()) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        return [answer.readline().decode().rstrip("\n") for _ in range(number)]


def _feed(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=patience()) as answer:
        assert answer.headers["Content-Type"].startswith("application/atom+xml")
        body: bytes = answer.read()
        return body


async def test_a_feed_is_atom_by_an_address_with_a_secret(quick: Serving, tmp_path: Path) -> None:
    client, folder = await new_user(quick), tmp_path / "notes"
    collection_id = await collection(client, folder, "Notes & <more>")
    saved, other = await save(client, name="Lamps & <b>\u0001"), await save(client, "fog")
    place = f"saved-searches/{saved['id']}/feed"
    url = (await client.call("POST", f"{place}/key"))["url"]
    assert (await client.call("GET", f"saved-searches/{saved['id']}"))["has_feed"]
    empty = ElementTree.fromstring(await asyncio.to_thread(_feed, url))
    assert empty.findall(f"{_ATOM}entry") == [] and empty.find(f"{_ATOM}updated") is not None
    await add(client, collection_id, folder, one="A green lamp: x < y & z.", two=LAMP)
    await until_alerts(client, 2)
    feed = ElementTree.fromstring(await asyncio.to_thread(_feed, url))
    assert feed.tag == f"{_ATOM}feed" and feed.findtext(f"{_ATOM}title") == "Lamps & <b>\ufffd"
    entries = feed.findall(f"{_ATOM}entry")
    assert {each.findtext(f"{_ATOM}content") for each in entries} == {"A green lamp: x < y & z.", LAMP}
    assert len({each.findtext(f"{_ATOM}id") for each in entries}) == 2
    assert all(each.find(f"{_ATOM}author/{_ATOM}name") is not None for each in entries)
    [own] = [each.get("href") for each in feed.findall(f"{_ATOM}link") if each.get("rel") == "self"]
    key = parse_qs(urlsplit(url).query)["key"][0]
    assert own == url.partition("?")[0] and key.encode() not in ElementTree.tostring(feed)
    assert (await refusal_of(Client(quick.url), "GET", f"{place}?key=wrong")).status == 401
    elsewhere = f"saved-searches/{other['id']}/feed?key={key}"
    assert (await refusal_of(Client(quick.url), "GET", elsewhere)).status == 401
    fresh = (await client.call("POST", f"{place}/key"))["url"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        await asyncio.to_thread(_feed, url)
    await client.call("DELETE", f"{place}/key")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        await asyncio.to_thread(_feed, fresh)


async def test_an_api_key_for_some_collections_sees_and_makes_searches_of_these_only(
    quick: Serving, tmp_path: Path
) -> None:
    client = await new_user(quick)
    collection_id = await collection(client, tmp_path / "notes")
    other_id = await collection(client, tmp_path / "other", "Other")
    everywhere, here = await save(client), await save(client, collection_ids=[collection_id])
    made = await client.call(
        "POST", "api-keys", {"name": "Some", "scopes": ["write"], "collections": [collection_id]}
    )
    limited = Client(quick.url, made["key"])
    seen = (await limited.call("GET", "saved-searches"))["items"]
    assert [each["id"] for each in seen] == [here["id"]]
    assert (await refusal_of(limited, "GET", f"saved-searches/{everywhere['id']}")).status == 404
    body = {"name": "All", "query": "lamp"}
    assert (await refusal_of(limited, "POST", "saved-searches", body)).status == 403
    refused = await refusal_of(limited, "POST", "saved-searches", {**body, "collection_ids": [other_id]})
    assert refused.status == 404
    change = {"collection_ids": None}
    assert (await refusal_of(limited, "PATCH", f"saved-searches/{here['id']}", change)).status == 403
    assert (await refusal_of(limited, "POST", f"saved-searches/{here['id']}/feed/key")).status == 403
    await save(limited, collection_ids=[collection_id])
