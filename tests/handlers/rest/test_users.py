"""Administrators manage the accounts of others over REST."""

from __future__ import annotations

import pytest
from support.api import PASSWORD, new_user, refusal_of
from support.people import new_administrator, share, user_id_of, username_of
from support.server import Serving

from semantik.client.api import Client
from semantik.client.websocket import Refused

pytestmark = pytest.mark.gen_test


async def test_administrator_creates_changes_and_lists_users(shared: Serving) -> None:
    administrator, other = await new_administrator(shared), await new_user(shared)
    name = f"made by {await username_of(administrator)}"
    made = await administrator.call("POST", "users", {"username": name, "password": PASSWORD})
    at = f"users/{made['id']}"
    assert (made["username"], made["is_admin"], made["disabled"]) == (name, False, False)
    client = Client(shared.url)
    await client.sign_in(name, PASSWORD)
    address = f"{made['id']}@example.com"
    changed = await administrator.call("PATCH", at, {"email": address, "is_admin": True})
    assert (changed["email"], changed["is_admin"]) == (address, True)
    taken = await refusal_of(administrator, "PATCH", f"users/{await user_id_of(other)}", {"email": address})
    assert taken.status == 409
    assert (await administrator.call("PATCH", at, {"email": None, "is_admin": False}))["email"] is None
    await administrator.call("PATCH", at, {"password": "another good password"})
    assert (await refusal_of(client, "GET", "collections")).status == 401
    await client.sign_in(name, "another good password")
    await administrator.call("PATCH", at, {"disabled": True})
    with pytest.raises(Refused):
        await client.sign_in(name, "another good password")
    found: list[str] = []
    query: dict[str, object] = {"limit": 2}
    while query.get("cursor", "") is not None:
        page = await administrator.call("GET", "users", **query)
        found += [user["username"].lower() for user in page["items"]]
        query["cursor"] = page["next_cursor"]
    assert found == sorted(set(found))
    assert name.lower() in found


async def test_only_administrators_see_users(shared: Serving) -> None:
    client = await new_user(shared)
    key = await user_id_of(client)
    calls: list[tuple[str, str, object]] = [
        ("GET", "users", None),
        ("POST", "users", {"username": "x", "password": PASSWORD}),
        ("GET", f"users/{key}", None),
        ("PATCH", f"users/{key}", {"is_admin": True}),
        ("DELETE", f"users/{key}", None),
    ]
    for method, path, body in calls:
        assert (await refusal_of(client, method, path, body)).status == 403


async def test_deleted_user_leaves_nothing_but_collections_with_a_new_owner(shared: Serving) -> None:
    administrator, leaver, heir = [
        await new_administrator(shared),
        await new_user(shared),
        await new_user(shared),
    ]
    mine = (await leaver.call("POST", "collections", {"name": "Lamps"}))["id"]
    theirs = (await heir.call("POST", "collections", {"name": "Chairs"}))["id"]
    await share(heir, theirs, leaver, "read")
    key = (await leaver.call("POST", "api-keys", {"name": "program"}))["key"]
    group = await administrator.call("POST", "groups", {"name": f"Group of {await username_of(leaver)}"})
    leaver_id = await user_id_of(leaver)
    await administrator.call("PUT", f"groups/{group['id']}/members/{leaver_id}")
    refusal = await refusal_of(administrator, "DELETE", f"users/{leaver_id}")
    assert (refusal.status, "'Lamps'" in str(refusal)) == (409, True)
    await administrator.call("DELETE", f"users/{leaver_id}", transfer_to=await username_of(heir))
    for each in (leaver, Client(shared.url, key)):
        assert (await refusal_of(each, "GET", "collections")).status == 401
    assert (await heir.call("GET", f"collections/{mine}"))["access"] == "own"
    assert (await heir.call("GET", f"collections/{theirs}/shares"))["shares"] == []
    [seen] = [
        each for each in (await administrator.call("GET", "groups"))["items"] if each["id"] == group["id"]
    ]
    assert seen["members"] == []
    assert (await refusal_of(administrator, "DELETE", f"users/{leaver_id}")).status == 404
    own = await user_id_of(administrator)
    assert (await refusal_of(administrator, "DELETE", f"users/{own}")).status == 409


async def test_key_of_an_administrator_cannot_make_itself_more(shared: Serving) -> None:
    administrator = await new_administrator(shared)
    made = await administrator.call("POST", "api-keys", {"name": "program", "scopes": ["admin"]})
    program = Client(shared.url, made["key"])
    at = f"users/{await user_id_of(await new_user(shared))}"
    for body in ({"password": "another good password"}, {"is_admin": True}):
        assert (await refusal_of(program, "PATCH", at, body)).status == 403
    assert (await program.call("PATCH", at, {"disabled": True}))["disabled"] is True
