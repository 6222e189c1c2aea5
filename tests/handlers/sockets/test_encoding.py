"""Message encodings: JSON or MessagePack, compressed or not. All of them carry the same data."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import zlib
from dataclasses import dataclass
from itertools import product
from urllib.parse import urlsplit

import msgpack
import pytest
import websockets
from support.api import new_user
from support.clients import Frame, address, closing, connect, rest, until
from support.fake_operation import FakeOperation, fake_operation
from support.server import Serving
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

_NOISE = os.urandom(10_000).hex()
_LONG = "Ein längerer Satz über die Ernte 🌾, der das Packen lohnt. " * 5


async def _publish_messages(operation: FakeOperation) -> None:
    """Publish short and long messages, some with fields that collide with the envelope, then the end."""
    await operation.publish("error", message="short", fatal=False)
    await operation.publish("error", message=_LONG, path="/a/ä.txt", fatal=False, category="corrupt")
    await operation.publish(
        "scanning_completed", type="inner", id="inner", numbers=[1, 2.5, None, True], more={}
    )
    await operation.publish("error", message="x" * 70_000, fatal=False)
    # Only the largest compression window reaches back to the repeated text.
    await operation.publish("error", message=_NOISE * 3, fatal=False)
    await operation.end()


def _stored(messages: list[Frame]) -> list[Frame]:
    return [message for message in messages if "seq" in message]


async def test_messagepack_carries_the_same_data_without_the_flat_copy(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        await _publish_messages(operation)
        path, query = f"/ws/operations/{operation.id}", {"token": client.token}
        plain = await rest(await connect(shared, path, query))
        for deflate in (False, True):
            socket = await connect(shared, path, query, subprotocols=["semantik.v1.msgpack"], deflate=deflate)
            await socket.write_message(msgpack.packb({"type": "ping"}), binary=True)
            await socket.write_message("ping")  # text is accepted as well
            await socket.write_message(msgpack.packb({"type": "dance"}), binary=True)
            await socket.write_message(b"\xc1\x00", binary=True)
            packed = await rest(socket)
            transient = [
                message for message in packed if "seq" not in message and message["type"] != "presence"
            ]
            kinds = [message["type"] for message in transient]
            assert kinds == ["current_state", "pong", "pong", "error", "error"]
            assert "MessagePack" in transient[-1]["data"]["message"]
            assert all(
                set(message) <= {"type", "timestamp", "id", "seq", "operation_id", "data"}
                for message in packed
            )
            assert transient[0]["data"] == plain[0]["data"]
            envelope = ("type", "timestamp", "id", "seq", "operation_id", "data")
            assert _stored(packed) == [{name: f[name] for name in envelope} for f in _stored(plain)]


async def test_json_repeats_the_data_fields_beside_the_envelope(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        await _publish_messages(operation)
        messages = await rest(
            await connect(shared, f"/ws/operations/{operation.id}", {"token": client.token})
        )
    names = {"type", "timestamp", "id", "seq", "operation_id", "data"}
    for message in messages:
        flat = {name: value for name, value in message["data"].items() if name not in names}
        assert {name: value for name, value in message.items() if name not in names} == flat
    [scanned] = [message for message in messages if message["type"] == "scanning_completed"]
    assert scanned["data"]["type"] == "inner" and scanned["id"] != "inner"
    assert [message["seq"] for message in _stored(messages)] == list(range(1, len(_stored(messages)) + 1))


@pytest.mark.parametrize(
    ("offers", "chosen"),
    [
        (["semantik.v1"], "semantik.v1"),
        (["semantik.v1.msgpack"], "semantik.v1.msgpack"),
        (["semantik.v1", "semantik.v1.msgpack"], "semantik.v1.msgpack"),
        (["something.else", "semantik.v1"], "semantik.v1"),
        (["something.else"], None),
    ],
)
async def test_selected_subprotocol_was_offered(
    shared: Serving, offers: list[str], chosen: str | None
) -> None:
    client = await new_user(shared)
    socket = await connect(shared, "/ws/operations", {"token": client.token}, subprotocols=offers)
    assert socket.selected_subprotocol == chosen
    await socket.write_message("ping")
    message = await socket.read_message()
    assert isinstance(message, bytes) == (chosen == "semantik.v1.msgpack")
    socket.close()


@dataclass(frozen=True)
class _RawConnection:
    """A connection read without a library: the negotiated extensions, and each frame's compression bit and payload."""

    extensions: str
    frames: list[tuple[bool, bytes]]


async def _read_raw(
    serving: Serving, client: Client, operation: FakeOperation, offer: str | None
) -> _RawConnection:
    address_parts = urlsplit(serving.url)
    reader, writer = await asyncio.open_connection(address_parts.hostname, address_parts.port)
    lines = [
        f"GET /ws/operations/{operation.id} HTTP/1.1",
        f"Host: {address_parts.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {client.token}",
        *([f"Sec-WebSocket-Extensions: {offer}"] if offer is not None else []),
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert head.startswith("HTTP/1.1 101")
    answer = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
    frames = []
    while (first := (await reader.readexactly(1))[0]) & 0x0F != 0x8:
        size = (await reader.readexactly(1))[0]
        if size >= 126:
            size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
        frames.append((bool(first & 0x40), await reader.readexactly(size)))
    writer.close()
    return _RawConnection(answer.get("Sec-Websocket-Extensions", ""), frames)


def _decoded(frames: list[tuple[bool, bytes]], window: int) -> list[Frame]:
    """Decode each message alone, as a client without context takeover does."""
    return [
        json.loads(_inflated(payload, window) if compressed else payload) for compressed, payload in frames
    ]


def _inflated(payload: bytes, window: int) -> bytes:
    return zlib.decompressobj(-window).decompress(payload + b"\x00\x00\xff\xff")


async def test_each_requested_compression_window_is_respected(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        await _publish_messages(operation)
        plain = await _read_raw(shared, client, operation, None)
        assert plain.extensions == "" and not any(compressed for compressed, _ in plain.frames)
        wanted = _stored([json.loads(text) for _, text in plain.frames])
        windows = range(8, 16)
        offers = [f"permessage-deflate; server_max_window_bits={window}" for window in windows]
        found = await asyncio.gather(*(_read_raw(shared, client, operation, offer) for offer in offers))
        for window, raw in zip(windows, found, strict=True):
            assert f"server_max_window_bits={window}" in raw.extensions
            assert _stored(_decoded(raw.frames, max(window, 9))) == wanted
            # zlib has no window of 8 bits: the server agrees to it, and then compresses nothing.
            assert any(compressed for compressed, _ in raw.frames) == (window > 8)
        raw = await _read_raw(shared, client, operation, "permessage-deflate; client_max_window_bits")
        assert _stored(_decoded(raw.frames, 15)) == wanted
        assert sum(len(p) for _, p in raw.frames) < sum(len(p) for _, p in plain.frames) / 2


_NEGOTIATIONS = [
    ("", ""),
    ("x-webkit-deflate-frame", ""),
    ("permessage-deflate; server_max_window_bits=7", ""),
    ("permessage-deflate; server_max_window_bits=16", ""),
    ("permessage-deflate; server_max_window_bits", ""),
    ("permessage-deflate; server_max_window_bits=010", ""),
    ("permessage-deflate; something_new=1", ""),
    ("permessage-deflate; server_no_context_takeover=1", ""),
    ("permessage-deflate; client_max_window_bits=99", ""),
    ("permessage-deflate; server_max_window_bits=10; server_max_window_bits=11", ""),
    ("permessage-deflate", "server_no_context_takeover"),
    ('permessage-deflate; server_max_window_bits="10"', "server_max_window_bits=10"),
    (
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "client_no_context_takeover",
    ),
    ("permessage-deflate; client_max_window_bits=10", "server_no_context_takeover"),
    (
        "something, permessage-deflate; server_max_window_bits=7, permessage-deflate",
        "server_no_context_takeover",
    ),
]


async def test_only_parameters_of_the_standard_are_negotiated(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client, ended=True) as operation:
        found = await asyncio.gather(
            *(_read_raw(shared, client, operation, offer) for offer, _ in _NEGOTIATIONS)
        )
    plain = {"permessage-deflate", "server_no_context_takeover"}
    for (offer, agreed), raw in zip(_NEGOTIATIONS, found, strict=True):
        extensions = set(filter(None, raw.extensions.split("; ")))
        assert extensions == (plain | set(agreed.split()) if agreed else set()), offer
        assert any(compressed for compressed, _ in raw.frames) == bool(agreed), offer
        assert _decoded(raw.frames, 15)[0]["type"] == "current_state", offer


def _offers() -> list[ClientPerMessageDeflateFactory]:
    return [
        ClientPerMessageDeflateFactory(
            server_no_context_takeover=server,
            client_no_context_takeover=client,
            server_max_window_bits=window,
            client_max_window_bits=own,
        )
        for server, client, window, own in product(
            (False, True), (False, True), (None, 9, 15), (None, True, 10)
        )
    ]


async def test_websockets_library_reads_every_compression_variant(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        await _publish_messages(operation)
        url = address(shared, f"/ws/operations/{operation.id}", {"token": client.token})
        async with websockets.connect(url, compression=None) as socket:
            wanted = _stored([json.loads(text) async for text in socket])

        async def read(offer: ClientPerMessageDeflateFactory | None) -> None:
            extensions = [offer] if offer else None
            async with websockets.connect(url, compression="deflate", extensions=extensions) as socket:
                for _ in range(2):
                    await socket.send('{"type": "ping"}' + " " * 500)  # compressed by the client
                messages = [json.loads(text) async for text in socket]
            assert _stored(messages) == wanted
            assert [message["type"] for message in messages].count("pong") == 2
            assert (socket.close_code, socket.close_reason) == (1000, "The operation has ended.")

        await asyncio.gather(*map(read, [*_offers(), None]))


async def test_tornado_client_reads_compressed_messages(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        path, query = f"/ws/operations/{operation.id}", {"token": client.token}
        sockets = [await connect(shared, path, query, deflate=deflate) for deflate in (True, False)]
        for socket in sockets:
            await until(socket, "operation_started")
        await _publish_messages(operation)
        for socket in sockets:
            for _ in range(3):  # this client keeps the compression context of its earlier messages
                await socket.write_message(json.dumps({"type": "ping"}) + " " * 300)
        live = [_stored(await rest(socket)) for socket in sockets]
        assert live[0] == live[1] and len(live[0]) == 7


async def test_invalid_compressed_message_closes_with_1007(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        path, query = f"/ws/operations/{operation.id}", {"token": client.token}
        socket = await connect(shared, path, query, deflate=True)
        await until(socket, "current_state")
        protocol = socket.protocol
        assert protocol is not None
        protocol._write_frame(True, 0x1, b"\xff" * 40, flags=0x40)  # marked as compressed, and is not
        assert await closing(socket) == (1007, "A compressed message cannot be unpacked.")
