"""Resumable uploads, with tuspy as the client: pieces, interruptions, expiry, a killed server."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import random
from collections.abc import Callable
from typing import Any

import pytest
from support.api import documents, new_user
from support.server import Serving
from support.uploads import collection, connection, detail, files_of, items, processed, request, send, until
from tusclient.client import TusClient
from tusclient.uploader import Uploader

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

TEXT = b"The keeper of the lighthouse wrote a long report. " * 20_000  # a million bytes
TUS = {"Tus_Resumable": "1.0.0"}


def uploader(client: Client, target: str, content: bytes, name: str = "report.txt", **more: Any) -> Uploader:
    tus = TusClient(f"{client.url}/api/v2/collections/{target}/uploads")
    tus.set_headers({"Authorization": f"Bearer {client.token}"})
    return tus.uploader(file_stream=io.BytesIO(content), metadata={"filename": name}, **more)


async def stored(client: Client, target: str, url: str) -> dict[str, Any]:
    return await processed(client, target, url.rpartition("/")[2])


async def test_a_file_in_pieces(shared: Serving) -> None:
    client = await new_user(shared)
    target = await collection(client)
    upload = uploader(client, target, TEXT, chunk_size=300_000)
    await asyncio.to_thread(upload.upload)
    document = await stored(client, target, upload.url)
    assert document["status"] == "indexed"
    original = await request(client, "GET", f"collections/{target}/documents/{document['id']}/original")
    assert original.body == TEXT


async def test_an_interrupted_upload_goes_on(shared: Serving) -> None:
    client = await new_user(shared)
    target = await collection(client)
    first = uploader(client, target, TEXT, chunk_size=300_000)
    await asyncio.to_thread(first.upload_chunk)
    second = uploader(client, target, TEXT, url=first.url)
    assert second.get_offset() == 300_000
    await asyncio.to_thread(second.upload)
    assert (await stored(client, target, second.url))["status"] == "indexed"


async def test_a_killed_server_loses_nothing(start: Callable[..., Serving]) -> None:
    serving = start()
    client = await new_user(serving)
    target = await collection(client)
    key = await client.call("POST", "api-keys", {"name": "tus", "scopes": ["write"]})
    client = Client(serving.url, key["key"])
    half = uploader(client, target, TEXT, chunk_size=400_000)
    await asyncio.to_thread(half.upload_chunk)
    path = half.url.removeprefix(serving.url)
    small = [items(await send(client, target, {f"{at}.txt": b"Note %d" % at}))[0] for at in range(10)]
    serving.kill()
    serving = start()
    client = Client(serving.url, key["key"])
    rest = uploader(client, target, TEXT, url=serving.url + path)
    assert rest.get_offset() == 400_000
    await asyncio.to_thread(rest.upload)
    for one in small:
        assert (await processed(client, target, one["id"]))["status"] == "indexed"
    assert (await stored(client, target, rest.url))["status"] == "indexed"
    assert set(await documents(client, target)) == {"report.txt", *(one["name"] for one in small)}
    assert len(files_of(serving)) == 11


async def test_what_is_not_finished_in_time_vanishes(start: Callable[..., Serving]) -> None:
    serving = start("--uploads-expire-s", "1")
    client = await new_user(serving)
    target = await collection(client)
    upload = uploader(client, target, TEXT, chunk_size=1000)
    await asyncio.to_thread(upload.upload_chunk)
    path = upload.url.removeprefix(f"{serving.url}/api/v2/")

    async def gone() -> Any:
        return (await request(client, "HEAD", path, **TUS)).code == 404

    await until(gone)
    assert not files_of(serving)


async def test_a_lost_connection_leaves_what_has_come(shared: Serving) -> None:
    client = await new_user(shared)
    target = await collection(client)
    begun = await request(
        client,
        "POST",
        f"collections/{target}/uploads",
        b"",
        Upload_Length="1000",
        Upload_Metadata=name("cut.txt"),
        **TUS,
    )
    path = begun.headers["Location"]
    head = f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n"
    head += f"Authorization: Bearer {client.token}\r\n"
    head += (
        "Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nContent-Length: 1000\r\n\r\n"
    )
    reader, writer = await connection(shared)
    writer.write(head.encode() + b"x" * 600)
    await writer.drain()
    path = path.removeprefix("/api/v2/")

    async def cut() -> Any:
        return (await request(client, "HEAD", path, **TUS)).headers["Upload-Offset"] == "600"

    await until(cut)
    # The first connection is still open: the second request takes the upload over.
    rest = await request(
        client,
        "PATCH",
        path,
        b"y" * 400,
        Upload_Offset="600",
        Content_Type="application/offset+octet-stream",
        **TUS,
    )
    assert (rest.code, rest.headers["Upload-Offset"]) == (204, "1000"), rest.body
    writer.write(b"z" * 400)
    assert b" 409 " in await reader.readline()
    writer.close()
    upload = await client.call("GET", path)
    assert upload["content_hash"] == hashlib.sha256(b"x" * 600 + b"y" * 400).hexdigest()


def name(text: str) -> str:
    return f"filename {base64.b64encode(text.encode()).decode()}"


async def test_an_aborted_plain_upload_leaves_nothing(shared: Serving) -> None:
    client = await new_user(shared)
    target = await collection(client)
    before = files_of(shared)
    head = f"POST /api/v2/collections/{target}/uploads?name=cut.txt HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Authorization: Bearer {client.token}\r\n"
    _, writer = await connection(shared)
    writer.write(head.encode() + b"Content-Length: 1000\r\n\r\n" + b"x" * 600)
    await writer.drain()

    async def begun() -> Any:
        return files_of(shared) != before

    await until(begun)
    writer.close()

    async def vanished() -> Any:
        return files_of(shared) == before

    await until(vanished)


async def test_what_tus_does_not_allow(shared: Serving) -> None:
    client, other = await new_user(shared), await new_user(shared)
    target = await collection(client)
    path = f"collections/{target}/uploads"
    piece = {"Content_Type": "application/offset+octet-stream", **TUS}
    options = await request(client, "OPTIONS", path)
    assert options.headers["Tus-Version"] == "1.0.0" and "termination" in options.headers["Tus-Extension"]
    begun = await request(
        client, "POST", path, b"12345", Upload_Length="10", Upload_Metadata=name("a.txt"), **piece
    )
    assert (begun.code, begun.headers["Upload-Offset"]) == (201, "5") and "Upload-Expires" in begun.headers
    one = begun.headers["Location"].removeprefix("/api/v2/")
    assert (await request(other, "HEAD", one, **TUS)).code == 404
    await client.call(
        "PUT",
        f"collections/{target}/shares",
        {"user": (await other.call("GET", "auth/me"))["username"], "level": "write"},
    )
    refused = [
        (await request(other, "PATCH", one, b"6", Upload_Offset="5", **piece), 404),
        (await request(client, "PATCH", one, b"6", Upload_Offset="4", **piece), 409),
        (await request(client, "PATCH", one, b"6", Upload_Offset="-1", **piece), 422),
        (await request(client, "PATCH", one, b"6" * 6, Upload_Offset="5", **piece), 413),
        (await request(client, "PATCH", one, b"6", Upload_Offset="5", Content_Type="text/plain", **TUS), 415),
        (
            await request(client, "PATCH", one, b"6", Upload_Offset="5", Content_Type=piece["Content_Type"]),
            412,
        ),
        (await request(client, "POST", path, b"", Tus_Resumable="0.2.2", Upload_Length="1"), 412),
        (await request(client, "POST", path, b"", Upload_Length="ten", **TUS), 422),
        (await request(client, "POST", path, b"", Upload_Defer_Length="1", **TUS), 422),
        (
            await request(
                client, "POST", path, b"", Upload_Length="1", Upload_Metadata="filename ???", **TUS
            ),
            422,
        ),
        (
            await request(
                client, "POST", path, b"", Upload_Length=str(1 << 40), Upload_Metadata=name("a"), **TUS
            ),
            413,
        ),
    ]
    for response, status in refused:
        assert response.code == status and detail(response), response.body
    assert (await request(client, "DELETE", one, **TUS)).code == 204
    assert (await request(client, "HEAD", one, **TUS)).code == 404
    empty = await request(
        client, "POST", path, b"", Upload_Length="0", Upload_Metadata=name("empty.txt"), **TUS
    )
    document = await stored(client, target, empty.headers["Location"])
    assert document["status"] == "skipped"


async def test_a_large_file_is_never_in_memory(start: Callable[..., Serving]) -> None:
    serving = start()
    client = await new_user(serving)
    target = await collection(client)
    content = random.Random(7).randbytes(1 << 20) * 160
    before = serving.tree[0].memory_info().rss
    upload = uploader(client, target, content, "noise.bin", chunk_size=len(content))
    peak = before
    sending = asyncio.create_task(asyncio.to_thread(upload.upload))
    while not sending.done():
        peak = max(peak, serving.tree[0].memory_info().rss)
        await asyncio.sleep(0.01)
    await sending
    assert peak - before < 60 << 20
    assert (await stored(client, target, upload.url))["status"] == "failed"
