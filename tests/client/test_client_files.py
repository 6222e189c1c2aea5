"""Files through the Python clients and a real server: uploads, and the originals of documents."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support.api import PASSWORD, new_user
from support.server import Serving
from support.uploads import until

from semantik.client import Refused, SyncClient

pytestmark = pytest.mark.gen_test

TEXT = "The kite flies over the northern meadow.\n"


async def test_a_file_is_uploaded_and_its_original_read_back(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    made = await client.create_collection("Uploaded")
    file = tmp_path / "kite.txt"
    file.write_text(TEXT * 50_000)  # 2 MB: sent and read in pieces
    [sent] = (await client.upload(made["id"], file, name="kite.txt"))["items"]
    [small] = (await client.upload(made["id"], b"A short note.", name="note.txt"))["items"]
    assert (sent["size"], sent["duplicate"], small["size"]) == (file.stat().st_size, False, 13)

    async def document() -> str | None:
        found = (await client.get_upload(made["id"], sent["id"]))["document"]
        return found["id"] if found and found["status"] == "indexed" else None

    document_id = await until(document)
    read = b"".join([piece async for piece in client.get_original(made["id"], document_id)])
    assert read == file.read_bytes()
    about = await client.describe_original(made["id"], document_id)
    assert int(about["Content-Length"]) == len(read)
    part = [piece async for piece in client.get_original(made["id"], document_id, range_="bytes=4-7")]
    assert b"".join(part) == b"kite"
    with pytest.raises(Refused, match="no document"):
        async for _ in client.get_original(made["id"], "absent"):
            pass
    assert (await client.upload(made["id"], file, name="copy.txt"))["items"][0]["duplicate"]


async def test_the_same_without_async(shared: Serving, tmp_path: Path) -> None:
    name = (await (await new_user(shared)).get_me())["username"]
    file = tmp_path / "kite.txt"
    file.write_text(TEXT)

    def use() -> None:
        with SyncClient(shared.url) as client:
            client.sign_in(name, PASSWORD)
            made = client.create_collection("Uploaded")
            [sent] = client.upload(made["id"], file, name="kite.txt")["items"]
            while not (found := client.get_upload(made["id"], sent["id"]))["document"]:
                for operation in client.list_operations()["items"]:
                    list(client.watch(operation["id"]))
            read = b"".join(client.get_original(made["id"], found["document"]["id"]))
            assert read.decode() == TEXT

    await asyncio.to_thread(use)
