"""Files that tests upload, and what becomes of them."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from support.server import Serving
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from semantik.client.api import Client

_LOOK_S = 0.02


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    """Wait until the condition holds, and return its value; the test's deadline bounds it."""
    while True:
        if value := await condition():
            return value
        await asyncio.sleep(_LOOK_S)


async def collection(client: Client, name: str = "Uploaded") -> str:
    made = await client.call("POST", "collections", {"name": name})
    return str(made["id"])


async def request(
    client: Client, method: str, path: str, body: bytes | None = None, **headers: str
) -> HTTPResponse:
    """Any request to the API; underscores in the names of headers stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    asked = HTTPRequest(
        f"{client.url}/api/v2/{path}",
        method,
        {"Authorization": f"Bearer {client.token}", **named},
        body,
        allow_nonstandard_methods=True,
        request_timeout=90,
        decompress_response=False,
    )
    return await AsyncHTTPClient().fetch(asked, raise_error=False)


async def send(client: Client, collection_id: str, files: dict[str, bytes], **query: str) -> HTTPResponse:
    """Upload files as a form does."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, content in files.items()
    ]
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return await request(
        client,
        "POST",
        f"collections/{collection_id}/uploads?{asked}",
        body,
        Content_Type=f"multipart/form-data; boundary={boundary}",
    )


def items(response: HTTPResponse) -> list[dict[str, Any]]:
    assert response.code == 201, response.body
    found: list[dict[str, Any]] = json.loads(response.body)["items"]
    return found


def detail(response: HTTPResponse) -> str:
    return str(json.loads(response.body)["detail"])


async def processed(client: Client, collection_id: str, upload_id: str) -> dict[str, Any]:
    """Wait until the operation of an upload has ended; the document."""
    path = f"collections/{collection_id}/uploads/{upload_id}"

    async def queued() -> Any:
        return (await client.call("GET", path))["operation_id"]

    operation_id = await until(queued)
    async for message in client.watch(operation_id):
        assert message["type"] != "operation_failed", message
    upload = await client.call("GET", path)
    document: dict[str, Any] = upload["document"]
    return document


def files_of(serving: Serving) -> list[str]:
    """The names of all files below the folder of uploads: those that are being received, and contents."""
    return sorted(path.name for path in (serving.data / "uploads").rglob("*") if path.is_file())


async def connection(serving: Serving) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection to the server."""
    address = urlsplit(serving.url)
    return await asyncio.open_connection(address.hostname, address.port)
