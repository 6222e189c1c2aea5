"""Malformed and abusive client input: the due close code or error, nothing in the log, and no leaked resources."""

from __future__ import annotations

import asyncio
import json
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import msgpack
import pytest
from support.api import new_user
from support.fake_operation import FakeOperation, fake_operation
from support.raw_socket import BINARY, CLOSE, PING, TEXT, RawSocket, connected, frame, handshake, opened
from support.server import Serving
from support.traces import settled

pytestmark = pytest.mark.gen_test

CONTINUATION = 0x0
COMPRESSED = 4
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
MSGPACK = "Sec-WebSocket-Protocol: semantik.v1.msgpack\r\n"


def deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


def parts(first: bytes, *more: bytes) -> bytes:
    """One text message in several frames."""
    rest = b"".join(frame(CONTINUATION, part, final=False) for part in more[:-1])
    return frame(TEXT, first, final=False) + rest + frame(CONTINUATION, more[-1])


# Name, handshake headers, bytes sent, and the close code; None: the connection is aborted.
FATAL: list[tuple[str, str, bytes, int | None]] = [
    ("text that is not UTF-8", "", frame(TEXT, b'{"type": "\xff\xfe"}'), 1007),
    ("text that ends within a character", "", frame(TEXT, "é".encode()[:1]), 1007),
    ("text in two parts that is not UTF-8", "", parts(b"\xc3", b"("), 1007),
    ("binary instead of text", "", frame(BINARY, b"\0\1\2"), 1007),
    ("invalid compressed data", DEFLATE, frame(TEXT, b"\xff" * 40, reserved=COMPRESSED), 1007),
    ("a ping marked as compressed", DEFLATE, frame(PING, b"\xff" * 40, reserved=COMPRESSED), 1007),
    ("a compressed bomb", DEFLATE, frame(TEXT, deflated(bytes(64 << 20)), reserved=COMPRESSED), 1009),
    ("a length of 2^63", "", frame(TEXT, length=1 << 63), 1009),
    ("a length of 2^64 - 1", "", frame(TEXT, length=(1 << 64) - 1), 1009),
    ("a message that is too long", "", frame(TEXT, b"x" * (65 << 10)), 1009),
    ("a long message in parts", "", parts(b"x", b"x" * (40 << 10), b"x" * (40 << 10)), 1009),
    ("a flood of pings", "", frame(TEXT, b"ping") * 10_000, 1008),
    ("a flood of garbage", "", frame(TEXT, b"{") * 10_000, 1008),
    ("a close without a code", "", frame(CLOSE), 1005),
    ("a close with half a code", "", frame(CLOSE, b"\x03"), 1005),
    ("a close whose reason is not UTF-8", "", frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), None),
    ("reserved bits", "", frame(TEXT, b"ping", reserved=3), None),
    ("compression that was not negotiated", "", frame(TEXT, b"ping", reserved=COMPRESSED), None),
    ("an unknown opcode", "", frame(0x3, b"ping"), None),
    ("an unknown control opcode", "", frame(0xB, b"ping"), None),
    ("a fragmented ping", "", frame(PING, b"p", final=False), None),
    ("a ping that is too long", "", frame(PING, b"p" * 126), None),
    ("a continuation without a first frame", "", frame(CONTINUATION, b"ping"), None),
    ("a message within a message", "", frame(TEXT, b"pi", final=False) + frame(TEXT, b"ping"), None),
]

# Not fatal: each gets one error.
INVALID_TEXTS = [
    b"", b"{", b"[]", b"null", b"1", b'"ping"', b"[" * 30_000, b'{"a":' * 10_000, b"9" * 20_000, b"1e999", b"NaN",
    b'{"type": "\\ud800"}', b'{"type": ["ping"]}', b'{"type": "ping", "more": 1}', b'{"action": {}}', b"\0\0\0p",
    '{"type": "\N{SNOWMAN}"}'.encode(), b"\xef\xbb\xbfping",
]  # fmt: skip
INVALID_PACKS = [
    b"", b"\xc1", b"\x91" * 10_000 + b"\0", b"\x81\x90\0", msgpack.packb({"type": b"ping"}), b"\xa1\xff",
    msgpack.packb([1]), b"\xdf\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xc7\x01\xff\0", b"\0\0",
    msgpack.packb({"type": msgpack.ExtType(5, b"x")}), msgpack.packb({1: 2}), b"\xd7\xff" + b"\xff" * 8,
]  # fmt: skip

HANDSHAKES = [
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99\r\n",
    "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8\r\n",
    "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=-1, x; y, ;;=;,,\r\n",
    'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits="10"; client_max_window_bits\r\n',
    "Sec-WebSocket-Extensions: permessage-deflate; no_such_thing, permessage-deflate\r\n" * 50,
    "Sec-WebSocket-Extensions: \xff\xfe\r\n",
    "Sec-WebSocket-Protocol: " + ", ".join(f"p{n}" for n in range(5000)) + "\r\n",
    "Sec-WebSocket-Protocol: \r\nSec-WebSocket-Protocol: ,,,\r\n",
    "Sec-WebSocket-Protocol: bearer.x, bearer.\xff, semantik.v1\r\n",
    "Sec-WebSocket-Version: 12\r\n",
    "Sec-WebSocket-Key: again\r\n",
    "Authorization: Bearer " + "x" * 20_000 + "\r\n",
    "Cookie: semantik_session=\xff; a=b; =;;\r\n",
    "Origin: http://[\r\n",
    "Host: other\r\n",
    "X: " + "x" * 100_000 + "\r\n",
]


async def test_fatal_input_gets_the_due_close_code(shared: Serving, tmp_path: Path) -> None:
    async with fake_operation(shared, await new_user(shared), started=False) as operation:

        async def code(headers: str, sent: bytes) -> int | None:
            async with connected(shared.url, operation.path, headers=headers) as socket:
                assert socket.status == 101
                found, _ = await asyncio.gather(socket.close_code(), socket.send(sent))
                return found

        codes = await asyncio.gather(*(code(headers, sent) for _, headers, sent, _ in FATAL))
    names = [name for name, _, _, _ in FATAL]
    assert dict(zip(names, codes, strict=True)) == {name: code for name, _, _, code in FATAL}


async def test_each_invalid_message_in_a_valid_frame_gets_an_error(shared: Serving, tmp_path: Path) -> None:
    async with fake_operation(shared, await new_user(shared), started=False) as operation:
        for headers, opcode, messages in (("", TEXT, INVALID_TEXTS), (MSGPACK, BINARY, INVALID_PACKS)):
            async with connected(shared.url, operation.path, headers=headers) as socket:
                for number, message in enumerate(messages):
                    if number % 15 == 14:
                        await asyncio.sleep(1)  # stay below the message rate limit
                    await socket.send(frame(opcode, message))
                    assert await _next_answer(socket) == "error", message[:40]
                await socket.send(frame(TEXT, b'{"type":"ping"}', masked=False))
                assert await _next_answer(socket) == "pong"


async def _next_answer(socket: RawSocket) -> str:
    """The type of the next error or pong."""
    while True:
        found = await socket.read()
        assert found is not None
        opcode, payload = found
        assert opcode != CLOSE, payload
        kind = (json.loads(payload) if opcode == TEXT else msgpack.unpackb(payload))["type"]
        if kind in ("error", "pong"):
            return str(kind)


async def test_messages_after_the_close_are_ignored(shared: Serving, tmp_path: Path) -> None:
    """A client may send before it has read that it was rejected, or that the operation has ended."""
    async with (
        fake_operation(shared, await new_user(shared), started=False) as operation,
    ):
        await operation.end()
        for path, code in ((operation.path, 1000), (f"/ws/operations/{operation.id}?token=x", 1008)):
            async with connected(shared.url, path) as socket:
                await socket.send(frame(TEXT, b"ping"))
                found: Any = (TEXT, b"")
                while found[0] != CLOSE:
                    found = await socket.read()
                assert struct.unpack("!H", found[1][:2])[0] == code
                await socket.send(frame(TEXT, b"ping") + frame(TEXT, b"{") + frame(CLOSE))
                assert await socket.close_code() is None


async def test_unusual_handshakes_cause_no_server_error(shared: Serving, tmp_path: Path) -> None:
    async with fake_operation(shared, await new_user(shared), started=False) as operation:
        paths = [
            f"/ws/operations/{operation.id}?since={'9' * 30_000}",
            f"/ws/operations/{operation.id}?token={'x' * 50_000}",
            f"{operation.path}&since={'9' * 30_000}-0",
            f"{operation.path}&since=%ff%00",
            f"{operation.path}&token={operation.client.token}",
            f"/ws/operations/%ff%00?token={operation.client.token}",
            f"/ws/operations?token={operation.client.token}&since={'a:1-1,' * 5000}",
            f"/ws/operations?token={operation.client.token}&since=a:99999999999999999999-1,:,",
            f"/ws/operations/{'x' * 5000}",
            "/ws/operations/../../etc/passwd",
        ]
        attempts = [(path, "") for path in paths] + [(operation.path, headers) for headers in HANDSHAKES]

        async def handshake_status(path: str, headers: str) -> int:
            async with connected(shared.url, path, headers=headers) as socket:
                if socket.status == 101:
                    await socket.read()
                return socket.status

        statuses = {
            path[:60] + headers[:60]: await handshake_status(path, headers) for path, headers in attempts
        }
    assert max(statuses.values()) < 500
    assert {101, 400, 404} <= set(statuses.values())


async def test_malformed_connections_leak_no_resources(shared: Serving, tmp_path: Path) -> None:
    """After ten rounds of fifty there are no more tasks, connections, sockets and Redis keys than before the first."""
    client = await new_user(shared)
    rng = random.Random(20260115)
    async with fake_operation(shared, client, started=False) as operation:
        await asyncio.gather(*(operation.publish("error", n=n) for n in range(20)))
        before = await settled(shared, lambda traces: traces.sockets == traces.connections == 0)
        for _ in range(10):
            await asyncio.gather(*(_connect_malformed(shared, operation, rng) for _ in range(50)))
        await settled(shared, lambda traces: traces.no_more_than(before))


async def _connect_malformed(serving: Serving, operation: FakeOperation, rng: random.Random) -> None:
    """One malformed connection of a random kind."""
    _, headers, sent, _ = rng.choice(FATAL)
    valid = handshake("x", operation.path, headers)
    rejected = handshake("x", "/ws/operations/x?token=x", headers)
    unusual = handshake("x", operation.path, rng.choice(HANDSHAKES))
    garbled = valid + rng.randbytes(300)
    async with opened(serving.url) as socket:
        kind = rng.randrange(6)
        if kind == 0:
            await socket.send(valid[: rng.randrange(len(valid))])
        elif kind == 1:
            await socket.send(rng.randbytes(500))
        else:
            prefix = sent[: rng.randint(0, min(len(sent), 100_000))]
            await socket.send([valid + prefix, rejected + prefix, unusual + prefix, garbled][kind - 2])
            if rng.random() < 0.5:
                await socket.answered()
