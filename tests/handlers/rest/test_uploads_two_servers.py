"""Two servers with data folders of their own: one reaches the files that were sent to the other, which is gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.api import documents, new_user
from support.archives import zip_bytes
from support.two_servers import Two
from support.uploads import collection, items, request, send

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test, pytest.mark.embedded]

NOTE = b"The keeper wrote down the weather. " * 60_000  # two blocks in MongoDB


async def test_the_server_that_indexes_a_file_reaches_it(tmp_path: Path) -> None:
    with Two(tmp_path) as two:
        first = two.start_one("first", "--uploads-index-delay-s", "3600")
        two.servers = [first]
        client = await new_user(first)
        key = await client.call("POST", "api-keys", {"name": "both", "scopes": ["write"]})
        target = await collection(client)
        archive = zip_bytes({"inner.txt": b"The lamp in the archive turns."})
        assert len(items(await send(client, target, {"note.txt": NOTE, "old.zip": archive}))) == 2
        begun = await request(
            client, "POST", f"collections/{target}/uploads", b"",
            Tus_Resumable="1.0.0", Upload_Length="5", Upload_Metadata="filename YQ==",
        )  # fmt: skip
        first.stop()
        shutil.rmtree(first.data)
        second = two.start_one("second")
        two.servers = [second]
        client = Client(second.url, key["key"])
        appended = await client.call("POST", f"collections/{target}/append", {})
        async for message in client.watch(appended["operation_id"]):
            assert message["type"] != "operation_failed"
        found = await documents(client, target)
        assert {one["status"] for one in found.values() if not one["part_count"]} == {"indexed"}
        assert set(found) == {"note.txt", "old.zip", "old.zip#inner.txt"}
        path = f"collections/{target}/documents/{found['note.txt']['id']}/original"
        assert (await request(client, "GET", path)).body == NOTE
        inner = await request(
            client, "GET", path.replace(found["note.txt"]["id"], found["old.zip#inner.txt"]["id"])
        )
        assert inner.code == 409 and found["old.zip"]["id"].encode() in inner.body
        # What has not come completely is not shared: the client tries again, and reaches the server that has it.
        unfinished = begun.headers["Location"].removeprefix("/api/v2/")
        assert (await request(client, "HEAD", unfinished, Tus_Resumable="1.0.0")).code == 503
