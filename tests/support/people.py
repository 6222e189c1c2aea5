"""Users of a running server who have to do with one another: administrators, and those a collection is shared with."""

from __future__ import annotations

from typing import Any

from support.api import PASSWORD, new_user
from support.fake_operation import server_stores
from support.server import Serving

from semantik.client.api import Client


async def username_of(client: Client) -> str:
    return str((await client.call("GET", "auth/me"))["username"])


async def user_id_of(client: Client) -> str:
    return str((await client.call("GET", "auth/me"))["id"])


async def new_administrator(serving: Serving) -> Client:
    """A new user who is an administrator from the first sign-in on."""
    client = await new_user(serving)
    me = await client.call("GET", "auth/me")
    async with server_stores(serving) as (mongo, _):
        await mongo.users.update(me["id"], {"is_admin": True})
    again = Client(serving.url)
    await again.sign_in(me["username"], PASSWORD)
    return again


async def share(owner: Client, collection_id: str, user: Client, level: str) -> dict[str, Any]:
    body = {"user": await username_of(user), "level": level}
    answer: dict[str, Any] = await owner.call("PUT", f"collections/{collection_id}/shares", body)
    return answer
