"""Sockets and event streams that follow an operation end when its collection is no longer shared with their user."""

from __future__ import annotations

import pytest
from support.api import new_user
from support.clients import EventStream, closing, connect, until
from support.fake_operation import fake_operation
from support.people import new_administrator, share, user_id_of, username_of
from support.server import Serving

pytestmark = pytest.mark.gen_test


async def test_ended_share_ends_what_follows_by_it_alone(shared: Serving) -> None:
    owner, reader, member, administrator = [
        await new_user(shared),
        await new_user(shared),
        await new_user(shared),
        await new_administrator(shared),
    ]
    group = await administrator.call("POST", "groups", {"name": f"Readers {await username_of(reader)}"})
    membership = f"groups/{group['id']}/members/{await user_id_of(member)}"
    await administrator.call("PUT", membership)
    async with fake_operation(shared, owner) as operation:
        shares = f"collections/{operation.collection_id}/shares"
        await share(owner, operation.collection_id, reader, "read")
        await owner.call("PUT", shares, {"group": group["name"], "level": "read"})
        path = f"/ws/operations/{operation.id}"
        by_share, by_group, own = [
            await connect(shared, path, {"token": each.token}) for each in (reader, member, owner)
        ]
        all_of_reader = await connect(shared, "/ws/operations", {"token": reader.token})
        stream = EventStream(shared, operation.id, {"Authorization": f"Bearer {reader.token}"})
        for socket in (by_share, by_group, own, all_of_reader):
            await until(socket, "operation_started")
        await stream.until("operation_started")

        await owner.call("DELETE", f"{shares}/user/{await user_id_of(reader)}")
        code, reason = await closing(by_share)
        assert (code, "There is no collection" in str(reason)) == (1008, True)
        [*_, last] = await stream.rest()
        assert last.data["code"] == 1008
        await operation.publish("document_processed", path="a.txt")
        for socket in (by_group, own):
            await until(socket, "document_processed")

        await administrator.call("DELETE", membership)
        assert (await closing(by_group))[0] == 1008

        # The socket for all operations stays, without this one, which comes back with the share.
        await all_of_reader.write_message("ping")
        before = await until(all_of_reader, "pong")
        assert "document_processed" not in {message["type"] for message in before}
        await share(owner, operation.collection_id, reader, "read")
        await until(all_of_reader, "document_processed")
        for socket in (own, all_of_reader):
            socket.close()
