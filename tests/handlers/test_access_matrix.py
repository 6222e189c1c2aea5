"""Every route and socket × every kind of caller, against the table in `support/access_table.py`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.access_table import COLUMNS, OUTCOMES, ROWS, Row
from support.api import PASSWORD, documents, index, new_user
from support.api_keys import make_key
from support.clients import connect, receive
from support.fake_operation import server_stores
from support.handler_schemas import handlers
from support.patience import deadline
from support.people import new_administrator, user_id_of, username_of
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.core.models import Source, new_id, now
from semantik.storage.mongo.rows import milliseconds

# What is shared with the users behind the columns; the sessions of some of them are no longer good.
_LEVELS = {
    "reader": "read",
    "manager": "manage",
    "expired session": "write",
    "ended session": "write",
    "disabled user": "write",
    "guest": "read",
}
_REASONS = {"There is no": "404", "This needs an API key": "403"}  # of a socket's close; else 401


def _shape(path: str) -> str:
    path = re.sub(r"{[\w ]+}|(?<=/)unknown|(?<=chunks/)0|(?<=shares/)user", "…", path.partition("?")[0])
    return re.sub(r"(?<=^/static/).+", "…", path)


def test_every_route_and_socket_has_a_row() -> None:
    assert {(_shape(row.path), row.method) for row in ROWS} == set(handlers())


@dataclass
class _World:
    """A collection that was shared, who has to do with it, and the ids that rows name."""

    serving: Serving
    folder: Path
    clients: dict[str, Client]
    names: dict[str, str]
    group_name: str
    ids: dict[str, str]

    async def collection(self, name: str) -> str:
        """Another collection that is shared in the same way."""
        made = await self.clients["owner"].call("POST", "collections", {"name": name})
        await self.share(made["id"])
        return str(made["id"])

    async def share(self, collection: str) -> None:
        with_whom = [{"user": self.names[column], "level": level} for column, level in _LEVELS.items()]
        for body in (*with_whom, {"group": self.group_name, "level": "write"}):
            await self.clients["owner"].call("PUT", f"collections/{collection}/shares", body)


async def _world(serving: Serving, folder: Path) -> _World:
    users = [name for name in COLUMNS if "key" not in name and name not in ("anonymous", "administrator")]
    # First, since the first user of a server is an administrator, whoever that is.
    clients = {"anonymous": Client(serving.url), "administrator": await new_administrator(serving)}
    clients |= {name: await new_user(serving) for name in users}
    guest, owner, administrator = await new_user(serving), clients["owner"], clients["administrator"]
    await guest.call("POST", "collections", {"name": "The guest's"})
    group = await administrator.call("POST", "groups", {"name": f"Writers {await username_of(guest)}"})
    await administrator.call("PUT", f"groups/{group['id']}/members/{await user_id_of(clients['writer'])}")
    collection, messages = await index(owner, folder)
    [source] = (await owner.call("GET", f"collections/{collection}/sources"))["items"]
    [document] = (await documents(owner, collection)).values()
    ids = {
        "collection": collection,
        "document": document["id"],
        "source": source["id"],
        "operation": messages[0]["operation_id"],
        "guest": await user_id_of(guest),
        "guest name": await username_of(guest),
        "group": group["id"],
        "folder": str(folder),
        "uuid": "",
    }
    names = {name: await username_of(clients[name]) for name in users} | {"guest": ids["guest name"]}
    world = _World(serving, folder, clients, names, group["name"], ids)
    await world.share(collection)
    await _end_credentials(world)
    return world


async def _end_credentials(world: _World) -> None:
    """Make the keys, and end the sessions and keys that are to be refused."""
    owner, clients = world.clients["owner"], world.clients
    _, clients["read key of the owner"] = await make_key(owner, scopes=["read"])
    _, clients["write key of the owner"] = await make_key(owner, scopes=["write"])
    _, clients["admin key of the administrator"] = await make_key(clients["administrator"], scopes=["admin"])
    other = await owner.call("POST", "collections", {"name": "Another"})
    _, clients["owner's key for another collection"] = await make_key(
        owner, scopes=["write"], collections=[other["id"]]
    )
    revoked, clients["revoked key"] = await make_key(owner, scopes=["write"])
    expired, clients["expired key"] = await make_key(owner, scopes=["write"], expires_in_days=1)
    await owner.call("DELETE", f"api-keys/{revoked}")
    past = {"$set": {"expires_at": milliseconds(now() - timedelta(hours=1))}}
    user_id = await user_id_of(clients["expired session"])
    async with server_stores(world.serving) as (mongo, _):
        await mongo.api_keys._table.update_one({"_id": expired}, past)
        await mongo.sessions._table.update_one({"user_id": user_id}, past)
    disabled = await user_id_of(clients["disabled user"])
    await clients["administrator"].call("PATCH", f"users/{disabled}", {"disabled": True})
    await clients["ended session"].call("POST", "auth/logout")
    async with deadline():  # the server asks MongoDB again within two seconds
        with pytest.raises(Refused):
            while await clients["expired session"].call("GET", "auth/me"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)


def _filled(text: str, ids: Mapping[str, str]) -> str:
    return re.sub(r"{([\w ]+)}", lambda name: ids[name[1]], text)


async def _status(world: _World, row: Row, client: Client, ids: Mapping[str, str]) -> str:
    path = _filled(row.path, ids)
    if path.startswith("/ws/"):
        return await _socket_status(world.serving, path, client.token)
    headers = {"Authorization": f"Bearer {client.token}"} if client.token else {}
    body = None if row.body is None else json.dumps(_filled_body(row.body, ids))
    request = HTTPRequest(
        world.serving.url + path, row.method.upper(), headers, body, allow_nonstandard_methods=True
    )
    return str((await AsyncHTTPClient().fetch(request, raise_error=False)).code)


def _filled_body(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _filled(value, ids)
    if isinstance(value, list):
        return [_filled_body(each, ids) for each in value]
    return {key: _filled_body(each, ids) for key, each in value.items()} if isinstance(value, dict) else value


async def _socket_status(serving: Serving, path: str, token: str) -> str:
    socket = await connect(serving, path, headers={"Authorization": f"Bearer {token}"} if token else {})
    await socket.write_message("ping")
    if await receive(socket) is not None:
        socket.close()
        return "200"
    assert socket.close_code == 1008
    reason = socket.close_reason or ""
    return next((status for start, status in _REASONS.items() if reason.startswith(start)), "401")


async def _cell(world: _World, row: Row, column: str) -> str:
    """The status of one request; what an allowed one uses up is made for it alone."""
    client, ids = world.clients[column], {**world.ids, "uuid": new_id()}
    if OUTCOMES[row.need][column] == "+":
        if row.leaves:
            client = Client(world.serving.url)
            await client.sign_in(await username_of(world.clients[column]), PASSWORD)
        if row.consumes:
            ids["collection"] = await world.collection(f"{row.method} {row.path} as {column}")
            source = Source(new_id(), ids["collection"], str(world.folder), now())
            ids["source"] = source.id
            async with server_stores(world.serving) as (mongo, _):
                await mongo.collections.add_source(source)
    return await _status(world, row, client, ids)


@pytest.mark.gen_test
async def test_each_caller_gets_of_each_route_what_the_table_says(shared: Serving, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The lamp is green.")
    world = await _world(shared, tmp_path)
    wrong = []
    for row in ROWS:
        found = await asyncio.gather(*(_cell(world, row, column) for column in COLUMNS))
        for column, status in zip(COLUMNS, found, strict=True):
            expected = OUTCOMES[row.need][column].replace("+", str(row.status))
            if status != expected:
                wrong.append(f"{row.method} {row.path} as {column}: {status}, not {expected}")
    assert wrong == []
