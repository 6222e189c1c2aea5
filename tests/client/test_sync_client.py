"""Both Python clients against a real server: calls, pages, live messages and streams."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from support.api import PASSWORD, new_user
from support.fake_operation import fake_operation
from support.relay import Relay
from support.server import Serving

from semantik.client import Client, Refused, SyncClient
from semantik.core.errors import Unavailable

pytestmark = pytest.mark.gen_test


async def _name(client: Client) -> str:
    return (await client.get_me())["username"]


def _folder(tmp_path: Path) -> str:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "kite.txt").write_text("The kite flies over the northern meadow.")
    (tmp_path / "texts" / "tide.txt").write_text("The spring tide fills the harbour at noon.")
    return str(tmp_path / "texts")


async def test_a_folder_is_indexed_searched_and_listed_without_async(shared: Serving, tmp_path: Path) -> None:
    name, folder = await _name(await new_user(shared)), _folder(tmp_path)

    def use() -> None:
        with SyncClient(shared.url) as client:
            client.sign_in(name, PASSWORD)
            made = client.create_collection("Texts", source_path=folder)
            assert made["operation_id"] is not None
            kinds = [message["type"] for message in client.watch(made["operation_id"])]
            assert kinds[0] == "current_state" and "operation_completed" in kinds
            found = client.search("kite", collection_ids=[made["id"]], mode="words")
            assert "northern meadow" in found["hits"][0]["passage"]
            documents = client.each(client.list_documents, made["id"], limit=1)
            assert [document["name"] for document in documents] == ["kite.txt", "tide.txt"]
            events = [event["event"] for event in client.follow_operation(made["operation_id"])]
            assert events[-1] == "close"
            assert client.get_metrics().startswith("# HELP")
            assert client.call("GET", f"collections/{made['id']}")["name"] == "Texts"
            client.delete_collection(made["id"])
            with pytest.raises(Refused, match="There is no collection"):
                client.get_collection(made["id"])

    await asyncio.to_thread(use)


async def test_an_iterator_that_is_left_ends_its_connection(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:

        def use() -> None:
            with SyncClient(shared.url, client.token) as other:
                for _ in range(70):  # the server allows sixty at once
                    messages = other.watch(operation.id)
                    assert next(messages)["type"] == "current_state"
                    messages.close()
                events = other.follow_operation(operation.id)
                assert next(events)["data"]["type"] == "current_state"
                events.close()

        await asyncio.to_thread(use)
        async for event in client.follow_operation(operation.id):
            assert event["data"]["type"] == "current_state"
            break


async def test_events_are_lost_with_their_connection(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation, Relay(shared.url) as relay:
        events = Client(f"http://{relay.address}", client.token).follow_operation(operation.id)
        assert (await anext(events))["data"]["type"] == "current_state"
        relay.cut()
        with pytest.raises(Unavailable, match="before the end"):
            while await anext(events):
                pass


async def test_a_closed_client_says_so_and_leaves_no_thread(shared: Serving) -> None:
    def use() -> None:
        client = SyncClient(shared.url)
        assert client.get_health()["status"] == "ok"
        client.close()
        client.close()
        with pytest.raises(RuntimeError, match="closed"):
            client.get_health()

    await asyncio.to_thread(use)
    assert not [thread for thread in threading.enumerate() if thread.name == "semantik-client"]


async def test_a_changed_password_keeps_the_client_signed_in(shared: Serving) -> None:
    client = await new_user(shared)
    await client.change_password(PASSWORD, "another good password")
    await client.get_me()
    assert [session["current"] for session in (await client.list_sessions())["items"]] == [True]
