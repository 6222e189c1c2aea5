"""How an account is taken back: the list of sessions, signing out everywhere, and a changed password."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.api import PASSWORD, new_user, refusal_of
from support.api_keys import REVOKED, key_refusal, make_key
from support.clients import EventStream, closing, connect, until
from support.fake_operation import fake_operation, server_stores
from support.server import Serving

from semantik.client.api import Client
from semantik.core.models import User

pytestmark = pytest.mark.gen_test

ENDED = "The session has ended; sign in again."
_NEW = "quite another password"


async def _clients(serving: Serving, count: int) -> list[Client]:
    """Clients of one new user, each with a session of its own."""
    first = await new_user(serving)
    name = (await first.call("GET", "auth/me"))["username"]
    others = [Client(serving.url) for _ in range(count - 1)]
    for each in others:
        await each.sign_in(name, PASSWORD)
    return [first, *others]


async def _status(client: Client) -> int:
    """Of a call that needs a credential."""
    answer = await client._http.fetch(
        f"{client.url}/api/v2/auth/me",
        headers={"Authorization": f"Bearer {client.token}"},
        raise_error=False,
    )
    return answer.code


async def test_sessions_are_listed_and_ended_one_by_one(shared: Serving) -> None:
    mine, other = await _clients(shared, 2)
    stranger = await new_user(shared)
    listed = (await mine.call("GET", "auth/sessions"))["items"]
    assert [each["current"] for each in listed] == [False, True]
    assert all(each["address"] == "127.0.0.1" and each["client"] for each in listed)
    assert all(each["last_used_at"] and each["expires_at"] > each["created_at"] for each in listed)
    assert (await refusal_of(stranger, "DELETE", f"auth/sessions/{listed[0]['id']}")).status == 404
    socket = await connect(shared, "/ws/operations", {"token": other.token})
    await socket.write_message("ping")
    await until(socket, "pong")
    assert await mine.call("DELETE", f"auth/sessions/{listed[0]['id']}") is None
    assert await closing(socket) == (1008, ENDED)
    assert (await _status(mine), await _status(other)) == (200, 401)
    assert len((await mine.call("GET", "auth/sessions"))["items"]) == 1
    assert (await refusal_of(mine, "DELETE", f"auth/sessions/{listed[0]['id']}")).status == 404


async def test_signing_out_everywhere_ends_what_is_asked_for(shared: Serving) -> None:
    mine, *others = await _clients(shared, 3)
    _, program = await make_key(mine)
    await mine.call("DELETE", "auth/sessions", keep_current="true")
    assert [await _status(each) for each in (mine, *others, program)] == [200, 401, 401, 200]
    refused = await refusal_of(mine, "DELETE", "auth/sessions", keep_current="yes")
    assert refused.status == 422 and "true or false" in str(refused)
    await mine.call("DELETE", "auth/sessions", api_keys="true")
    assert [await _status(each) for each in (mine, program)] == [401, 401]


async def test_a_changed_password_ends_everything_and_signs_in_anew(shared: Serving) -> None:
    mine, thief = await _clients(shared, 2)
    name = (await mine.call("GET", "auth/me"))["username"]
    _, program = await make_key(thief)
    async with fake_operation(shared, mine) as operation:
        paths = (f"/ws/operations/{operation.id}", "/ws/operations")
        sockets = [await connect(shared, path, {"token": thief.token}) for path in paths]
        by_key = [await connect(shared, path, {"token": program.token}) for path in paths]
        stream = EventStream(shared, operation.id, {"Authorization": f"Bearer {program.token}"})
        await stream.until("operation_started")
        for socket in (*sockets, *by_key):
            await until(socket, "operation_started")
        signed_in = await mine.call(
            "POST", "auth/password", {"current_password": PASSWORD, "new_password": _NEW}
        )
        assert [await closing(socket) for socket in sockets] == [(1008, ENDED)] * 2
        assert [await closing(socket) for socket in by_key] == [(1008, REVOKED)] * 2
        assert (await stream.rest())[-1].data == {"code": 1008, "reason": REVOKED}
    fresh = Client(shared.url, signed_in["access_token"])
    assert [await _status(each) for each in (fresh, mine, thief)] == [200, 401, 401]
    assert await key_refusal(program, "GET", "auth/me") == (401, REVOKED)
    [session] = (await fresh.call("GET", "auth/sessions"))["items"]
    assert session["current"]
    old = await refusal_of(Client(shared.url), "POST", "auth/login", {"username": name, "password": PASSWORD})
    assert old.status == 401
    await Client(shared.url).sign_in(name, _NEW)


async def test_api_keys_survive_a_changed_password_if_asked(shared: Serving) -> None:
    [mine] = await _clients(shared, 1)
    key_id, program = await make_key(mine)
    user_id = (await mine.call("GET", "auth/me"))["id"]
    async with server_stores(shared) as (mongo, _):  # as a user and a key of an older build
        await mongo.api_keys._table.update_one({"_id": key_id}, {"$unset": {"credentials_version": ""}})
        older = {"$unset": {"credentials_version": "", "oldest_key_version": ""}}
        await mongo.users._table.update_one({"_id": user_id}, older)
    socket = await connect(shared, "/ws/operations", {"token": program.token})
    await socket.write_message("ping")
    await until(socket, "pong")
    for current, new in ((PASSWORD, _NEW), (_NEW, PASSWORD), (PASSWORD, _NEW)):
        change = {"current_password": current, "new_password": new, "keep_api_keys": True}
        signed_in = await mine.call("POST", "auth/password", change)
        mine = Client(shared.url, signed_in["access_token"])
        assert await program.call("GET", "auth/me")
    await socket.write_message("ping")
    await until(socket, "pong")
    socket.close()
    change = {"current_password": _NEW, "new_password": PASSWORD}
    await mine.call("POST", "auth/password", change)
    assert await key_refusal(program, "GET", "auth/me") == (401, REVOKED)


async def test_kept_api_keys_are_good_at_every_moment_of_the_change(shared: Serving) -> None:
    """One write ends the sessions and keeps the keys: a server that ends after it has revoked none."""
    mine, other = await _clients(shared, 2)
    _, program = await make_key(mine)
    user_id = (await mine.call("GET", "auth/me"))["id"]
    async with server_stores(shared) as (mongo, _):
        user: User = await mongo.users.get(user_id)
        assert await mongo.users.end_credentials(user, {}, keep_api_keys=True) is not None
        assert await mongo.users.end_credentials(user, {}) is None  # another change was there before it
    ended = await connect(shared, "/ws/operations", {"token": other.token})
    kept = await connect(shared, "/ws/operations", {"token": program.token})
    assert (await closing(ended))[0] == 1008
    await kept.write_message("ping")
    await until(kept, "pong")
    kept.close()
    assert [await _status(each) for each in (other, program)] == [401, 200]


@pytest.mark.parametrize(
    ("current", "new", "status", "word"),
    [
        ("not this one", _NEW, 403, "current password"),
        (PASSWORD, "short", 422, "characters"),
        (PASSWORD, PASSWORD, 422, "choose another"),
    ],
)
async def test_a_refused_change_ends_nothing(
    shared: Serving, current: str, new: str, status: int, word: str
) -> None:
    mine, other = await _clients(shared, 2)
    refused = await refusal_of(
        mine, "POST", "auth/password", {"current_password": current, "new_password": new}
    )
    assert refused.status == status and word in str(refused)
    assert [await _status(each) for each in (mine, other)] == [200, 200]


async def test_a_session_that_a_reset_overtakes_is_refused(shared: Serving) -> None:
    """Of a sign-in with the old password only the last write comes after the reset."""
    mine, other = await _clients(shared, 2)
    user_id = (await mine.call("GET", "auth/me"))["id"]
    async with server_stores(shared) as (mongo, _):
        user: User = await mongo.users.get(user_id)
        assert await mongo.users.end_credentials(user, {}) is not None
        [session, *_] = await mongo.sessions.of_user(user_id)
        assert session.credentials_version == user.credentials_version
    socket = await connect(shared, "/ws/operations", {"token": other.token})
    assert (await closing(socket))[0] == 1008
    assert await _status(other) == 401


async def test_a_sign_in_beyond_the_limit_ends_the_oldest_session(start: Callable[..., Serving]) -> None:
    serving = start("--auth-sessions-per-user", "2")
    oldest, *others = await _clients(serving, 3)
    assert [await _status(each) for each in (oldest, *others)] == [401, 200, 200]
