"""Uploads on a real server: what is sent becomes documents that are found; what must not be sent is refused."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from support.api import ask, documents, new_user, refusal_of
from support.server import Serving
from support.uploads import collection, detail, files_of, items, processed, request, send, until
from tornado.httpclient import HTTPResponse

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

LAMP = b"The lamp of the lighthouse turns once a minute."
BOAT = b"The boat left the harbour before the storm came."


async def test_files_of_a_form_become_documents(shared: Serving) -> None:
    client = await new_user(shared)
    target = await collection(client)
    sent = items(await send(client, target, {"lamp.txt": LAMP, "B\u00f6ot \u201ea\u201c.txt": BOAT}))
    assert [one["state"] for one in sent] == ["stored", "stored"]
    assert sent[0]["content_hash"] == hashlib.sha256(LAMP).hexdigest()
    for one in sent:
        document = await processed(client, target, one["id"])
        assert document["status"] == "indexed"
        original = await request(client, "GET", f"collections/{target}/documents/{document['id']}/original")
        assert original.body == (LAMP if one["name"] == "lamp.txt" else BOAT)
    hits = await ask(client, "harbour", collection_ids=[target])
    assert hits[0]["document"]["name"] == "B\u00f6ot \u201ea\u201c.txt"
    listed = await client.call("GET", f"collections/{target}/uploads", limit=1)
    rest = await client.call("GET", f"collections/{target}/uploads", cursor=listed["next_cursor"])
    assert {one["id"] for one in listed["items"] + rest["items"]} == {one["id"] for one in sent}
    [source] = (await client.call("GET", f"collections/{target}/sources"))["items"]
    assert (source["path"], source["document_count"]) == (f"uploads:{target}", 2)


async def test_a_content_is_kept_once(shared: Serving) -> None:
    client = await new_user(shared)
    first, second = await collection(client, "First"), await collection(client, "Second")
    path = f"collections/{first}/uploads?name=lamp.txt"
    content = b"Kept once: the lamp that is in two collections."
    [one] = items(await request(client, "POST", path, content))
    [again] = items(await send(client, first, {"another name.txt": content}))
    assert (again["id"], again["duplicate"], one["duplicate"]) == (one["id"], True, False)
    [other] = items(await send(client, second, {"lamp.txt": content}))
    assert other["id"] != one["id"] and not other["duplicate"]
    assert files_of(shared).count(hashlib.sha256(content).hexdigest()) == 1
    await processed(client, first, one["id"])
    await processed(client, second, other["id"])
    assert list(await documents(client, first)) == list(await documents(client, second)) == ["lamp.txt"]


async def test_a_removed_upload_goes_with_its_document(shared: Serving) -> None:
    client = await new_user(shared)
    target = await collection(client)
    lamp, boat = items(await send(client, target, {"lamp.txt": LAMP, "boat.txt": BOAT}))
    for one in (lamp, boat):
        await processed(client, target, one["id"])
    assert (await request(client, "DELETE", f"collections/{target}/uploads/{lamp['id']}")).code == 204

    async def only_the_boat() -> Any:
        return list(await documents(client, target)) == ["boat.txt"]

    await until(only_the_boat)
    assert (await refusal_of(client, "GET", f"collections/{target}/uploads/{lamp['id']}")).status == 404
    # The last one, too: an empty source of uploads is no disk that is not mounted.
    assert (await request(client, "DELETE", f"collections/{target}/uploads/{boat['id']}")).code == 204

    async def nothing() -> Any:
        return not await documents(client, target)

    await until(nothing)


async def test_a_file_replaces_earlier_ones_of_its_name(shared: Serving) -> None:
    client = await new_user(shared)
    target = await collection(client)
    [old] = items(await send(client, target, {"log.txt": LAMP}))
    await processed(client, target, old["id"])
    [new] = items(await send(client, target, {"log.txt": BOAT}, replace="true"))
    await processed(client, target, new["id"])
    listed = await client.call("GET", f"collections/{target}/uploads")
    assert [one["id"] for one in listed["items"]] == [new["id"]]

    async def the_new_alone() -> Any:
        return len((await client.call("GET", f"collections/{target}/documents"))["items"]) == 1

    await until(the_new_alone)
    assert not [
        hit for hit in await ask(client, "lighthouse", collection_ids=[target]) if "minute" in hit["passage"]
    ]


async def test_a_removed_source_takes_its_uploads_along(shared: Serving) -> None:
    client = await new_user(shared)
    target = await collection(client)
    [one] = items(await send(client, target, {"lamp.txt": LAMP}))
    await processed(client, target, one["id"])
    [source] = (await client.call("GET", f"collections/{target}/sources"))["items"]
    watched = await refusal_of(
        client, "PATCH", f"collections/{target}/sources/{source['id']}", {"immediate": True}
    )
    assert watched.status == 409 and "no folder to watch" in str(watched)
    removal = await client.call("DELETE", f"collections/{target}/sources/{source['id']}")
    async for _ in client.watch(removal["operation_id"]):
        pass
    assert not (await client.call("GET", f"collections/{target}/uploads"))["items"]
    [again] = items(await send(client, target, {"lamp.txt": LAMP}))
    assert (await processed(client, target, again["id"]))["status"] == "indexed"


async def test_many_small_uploads_become_few_operations(shared: Serving) -> None:
    client = await new_user(shared)
    target = await collection(client)
    number = 40
    few = asyncio.Semaphore(8)

    async def upload(at: int) -> HTTPResponse:
        async with few:
            path = f"collections/{target}/uploads?name={at}.txt"
            return await request(client, "POST", path, f"Note {at} of lamps".encode())

    sent = await asyncio.gather(*map(upload, range(number)))
    for response in sent:
        [one] = items(response)
        await processed(client, target, one["id"])
    assert len(await documents(client, target)) == number
    operations = await client.call("GET", "operations", collection_id=target)
    assert len(operations["items"]) <= number // 4


async def test_what_is_no_upload_is_refused(shared: Serving) -> None:
    client = await new_user(shared)
    target = await collection(client)
    path = f"collections/{target}/uploads"
    form = {"Content_Type": "multipart/form-data; boundary=b"}
    refused = [
        (await request(client, "POST", path, b"{}", Content_Type="application/json"), 422, "multipart"),
        (await request(client, "POST", path, b"", Content_Type="multipart/form-data"), 422, "no boundary"),
        (await request(client, "POST", path, b"--b--\r\n", **form), 422, "no file"),
        (await request(client, "POST", path, b"garbage", **form), 422, "no multipart/form-data"),
        (
            await request(client, "POST", path, b"--b\r\nContent-Disposition: x\r\n\r\nhalf", **form),
            422,
            "ends",
        ),
        (await request(client, "POST", path, b"--b\r\n" + b"X" * 9000, **form), 422, "header"),
        (await send(client, target, {"..": LAMP}), 422, "no name"),
        (await send(client, target, {".DS_Store": LAMP}), 422, "no document"),
        (await send(client, target, {"a" * 300: LAMP}), 422, "255 bytes"),
        (await request(client, "POST", "collections/unknown/uploads?name=a", LAMP), 404, "no collection"),
        (await request(Client(shared.url), "POST", f"{path}?name=a", b"x" * 5_000_000), 401, "token"),
        (await request(client, "POST", f"{path}?name=a", b"x" * 5_000_000), 201, ""),
        (await request(client, "PUT", path, b"x"), 405, "method"),
    ]
    for response, status, words in refused:
        assert response.code == status, response.body
        assert not words or words in detail(response)
    partly = await send(client, target, {"folder/../lamp.txt": LAMP, "Thumbs.db": BOAT})
    assert [one["name"] for one in items(partly)] == ["lamp.txt"]
    assert b"Thumbs.db" in partly.body


async def test_limits(start: Callable[..., Serving]) -> None:
    limits = ("--uploads-max-file-bytes", "300000", "--uploads-quota-bytes", "500000")
    serving = start(*limits, "--uploads-types", "*.txt,*.pdf", "--auth-registration", "open")
    client = await new_user(serving)
    target = await collection(client)
    [first] = items(await send(client, target, {"a.txt": b"a" * 300_000}))
    refused = [
        (await send(client, target, {"b.TXT": b"b" * 300_001}), 413, "uploads.max_file_bytes"),
        (
            await request(client, "POST", f"collections/{target}/uploads?name=b.txt", b"b" * 400_000),
            413,
            "300,000",
        ),
        (await send(client, target, {"b.pdf": b"b" * 250_000}), 413, "uploads.quota_bytes"),
        (await send(client, target, {"b.exe": b"b"}), 422, "uploads.types"),
    ]
    for response, status, words in refused:
        assert response.code == status and words in detail(response), response.body
    assert files_of(serving) == [hashlib.sha256(b"a" * 300_000).hexdigest()]
    await request(client, "DELETE", f"collections/{target}/uploads/{first['id']}")
    assert items(await send(client, target, {"b.txt": b"b" * 250_000}))
    other = await new_user(serving)
    assert items(await send(other, await collection(other), {"c.txt": b"c" * 300_000}))
