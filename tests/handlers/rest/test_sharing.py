"""Collections that are shared with users and groups, public, or given to others; and what each may do with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.api import ask, index, new_user, refusal_of
from support.people import new_administrator, share, user_id_of, username_of
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


async def _names(client: Client, **query: object) -> list[str]:
    page = await client.call("GET", "collections", **query)
    return [item["name"] for item in page["items"]]


async def _new(client: Client, name: str) -> str:
    return str((await client.call("POST", "collections", {"name": name}))["id"])


async def test_each_level_allows_what_it_says(shared: Serving, tmp_path: Path) -> None:
    owner, reader, writer, manager = [await new_user(shared) for _ in range(4)]
    (tmp_path / "a.txt").write_text("The lamp is green.")
    collection, _ = await index(owner, tmp_path)
    at = f"collections/{collection}"
    for each, level in ((reader, "read"), (writer, "write"), (manager, "manage")):
        assert (await refusal_of(each, "GET", at)).status == 404
        await share(owner, collection, each, level)
        view = await each.call("GET", at)
        assert view["access"] == level
        assert view["owner"] == {"id": await user_id_of(owner), "username": await username_of(owner)}
        assert len(await ask(each, "lamp")) == len(await ask(each, "lamp", collection_ids=[collection])) == 1
    writing, managing = ("POST", f"{at}/append", {}), ("PATCH", at, {"description": "of lamps"})
    assert (await refusal_of(reader, *writing)).status == 403
    assert (await refusal_of(writer, *managing)).status == 403
    assert (await refusal_of(writer, "GET", f"{at}/shares")).status == 403
    assert (await refusal_of(manager, "DELETE", at)).status == 403
    assert (
        await refusal_of(manager, "POST", f"{at}/owner", {"user": await username_of(manager)})
    ).status == 403
    await writer.call(*writing)
    await manager.call(*managing)
    shares = (await manager.call("GET", f"{at}/shares"))["shares"]
    assert {each["level"] for each in shares} == {"read", "write", "manage"}
    refusal = await refusal_of(
        manager, "PUT", f"{at}/shares", {"user": await username_of(reader), "level": "own"}
    )
    assert refusal.status == 422


async def test_share_ends_at_once_and_by_its_holder_too(shared: Serving) -> None:
    owner, first, second = [await new_user(shared) for _ in range(3)]
    collection = await _new(owner, "Lamps")
    for each, ending in ((first, owner), (second, second)):
        await share(owner, collection, each, "read")
        assert await _names(each) == ["Lamps"]
        key = await user_id_of(each)
        await ending.call("DELETE", f"collections/{collection}/shares/user/{key}")
        assert await _names(each) == []
        assert (await refusal_of(each, "GET", f"collections/{collection}")).status == 404
        assert (
            await refusal_of(owner, "DELETE", f"collections/{collection}/shares/user/{key}")
        ).status == 404


async def test_members_of_a_group_get_what_is_shared_with_it(shared: Serving) -> None:
    administrator, owner, member = (
        await new_administrator(shared),
        await new_user(shared),
        await new_user(shared),
    )
    name = f"Readers of {await username_of(owner)}"
    group = await administrator.call("POST", "groups", {"name": name, "roots": ["/srv"]})
    collection = await _new(owner, "Lamps")
    await owner.call("PUT", f"collections/{collection}/shares", {"group": name, "level": "write"})
    assert (await member.call("GET", "groups"))["items"] == await _names(member) == []
    membership = f"groups/{group['id']}/members/{await user_id_of(member)}"
    await administrator.call("PUT", membership)
    [seen] = (await member.call("GET", "groups"))["items"]
    assert (seen["roots"], [each["username"] for each in seen["members"]]) == (
        ["/srv"],
        [await username_of(member)],
    )
    assert (await member.call("GET", f"collections/{collection}"))["access"] == "write"
    await share(owner, collection, member, "read")  # the most of several shares counts
    assert (await member.call("GET", f"collections/{collection}"))["access"] == "write"
    await administrator.call("DELETE", membership)
    assert (await member.call("GET", f"collections/{collection}"))["access"] == "read"
    await administrator.call("DELETE", f"groups/{group['id']}")
    [left] = (await owner.call("GET", f"collections/{collection}/shares"))["shares"]
    assert left["kind"] == "user"
    for method, path, body in (("POST", "groups", {"name": "x"}), ("DELETE", f"groups/{group['id']}", None)):
        assert (await refusal_of(member, method, path, body)).status == 403


async def test_public_collection_is_read_by_everybody_and_written_by_nobody(shared: Serving) -> None:
    owner, stranger = await new_user(shared), await new_user(shared)
    collection = await _new(owner, "Lamps")
    assert (await owner.call("PATCH", f"collections/{collection}", {"public": True}))["public"] is True
    assert (await stranger.call("GET", f"collections/{collection}"))["access"] == "read"
    assert await _names(stranger) == ["Lamps"]
    assert (await refusal_of(stranger, "POST", f"collections/{collection}/append", {})).status == 403
    await owner.call("PATCH", f"collections/{collection}", {"public": False})
    assert (await refusal_of(stranger, "GET", f"collections/{collection}")).status == 404
    assert await _names(stranger) == []


async def test_pages_hold_own_and_shared_collections_by_name(shared: Serving) -> None:
    owner, other = await new_user(shared), await new_user(shared)
    for name in ("b", "D", "c"):
        await _new(owner, name)
    for name in ("B", "a", "d"):
        await share(other, await _new(other, name), owner, "read")
    found: list[str] = []
    query: dict[str, object] = {"limit": 1}
    while True:
        page = await owner.call("GET", "collections", **query)
        found += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert [name.lower() for name in found] == ["a", "b", "b", "c", "d", "d"]
    assert sorted(found) == sorted(["b", "D", "c", "B", "a", "d"])


async def test_owner_gives_a_collection_away(shared: Serving) -> None:
    owner, heir = await new_user(shared), await new_user(shared)
    collection = await _new(owner, "Lamps")
    await share(owner, collection, heir, "read")
    at, body = f"collections/{collection}/owner", {"user": await username_of(heir)}
    await _new(heir, "lamps")
    assert (await refusal_of(owner, "POST", at, body)).status == 409
    await owner.call("PATCH", f"collections/{collection}", {"name": "More lamps"})
    given = await owner.call("POST", at, body)
    assert (given["owner"]["username"], given["shares"]) == (body["user"], [])
    assert (await refusal_of(owner, "GET", f"collections/{collection}")).status == 404
    assert (await heir.call("GET", f"collections/{collection}"))["access"] == "own"


async def test_administrator_reads_only_what_is_shared_with_them(shared: Serving) -> None:
    administrator, owner = await new_administrator(shared), await new_user(shared)
    collection = await _new(owner, "Lamps")
    for path in (f"collections/{collection}", f"collections/{collection}/documents"):
        assert (await refusal_of(administrator, "GET", path)).status == 404
    query: dict[str, object] = {"limit": 500}
    listed = (await administrator.call("GET", "admin/collections", **query))["items"]
    [seen] = [each for each in listed if each["id"] == collection]
    assert (seen["name"], seen["owner"]["username"]) == ("Lamps", await username_of(owner))
    assert (await refusal_of(owner, "GET", "admin/collections")).status == 403
    await share(administrator, collection, administrator, "read")
    assert (await administrator.call("GET", f"collections/{collection}"))["access"] == "read"
    await administrator.call(
        "POST", f"collections/{collection}/owner", {"user": await username_of(administrator)}
    )
    assert (await administrator.call("GET", f"collections/{collection}"))["access"] == "own"
