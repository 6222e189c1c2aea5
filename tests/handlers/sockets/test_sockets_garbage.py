"""What no honest client sends: a close with a code where one is due, silence in the log, and nothing left behind."""

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
PACKED = "Sec-WebSocket-Protocol: semantik.v1.msgpack\r\n"


def deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


def parts(first: bytes, *more: bytes) -> bytes:
    """One text in several frames."""
    rest = b"".join(frame(CONTINUATION, part, final=False) for part in more[:-1])
    return frame(TEXT, first, final=False) + rest + frame(CONTINUATION, more[-1])


# What it is, the headers of the handshake, what is sent, and the code of the close; None: the connection is cut.
ENDING: list[tuple[str, str, bytes, int | None]] = [
    ("text that is no UTF-8", "", frame(TEXT, b'{"type": "\xff\xfe"}'), 1007),
    ("text that ends within a character", "", frame(TEXT, "é".encode()[:1]), 1007),
    ("text in two parts that is no UTF-8", "", parts(b"\xc3", b"("), 1007),
    ("binary where text is due", "", frame(BINARY, b"\0\1\2"), 1007),
    ("what is not compressed as it says", DEFLATE, frame(TEXT, b"\xff" * 40, reserved=COMPRESSED), 1007),
    ("a ping that says it is compressed", DEFLATE, frame(PING, b"\xff" * 40, reserved=COMPRESSED), 1007),
    ("a compressed bomb", DEFLATE, frame(TEXT, deflated(bytes(64 << 20)), reserved=COMPRESSED), 1009),
    ("a length of 2^63", "", frame(TEXT, length=1 << 63), 1009),
    ("a length of 2^64 - 1", "", frame(TEXT, length=(1 << 64) - 1), 1009),
    ("a message that is too long", "", frame(TEXT, b"x" * (65 << 10)), 1009),
    ("a long message in parts", "", parts(b"x", b"x" * (40 << 10), b"x" * (40 << 10)), 1009),
    ("a flood of pings", "", frame(TEXT, b"ping") * 10_000, 1008),
    ("a flood of garbage", "", frame(TEXT, b"{") * 10_000, 1008),
    ("a close without a code", "", frame(CLOSE), 1005),
    ("a close with half a code", "", frame(CLOSE, b"\x03"), 1005),
    ("a close whose reason is no UTF-8", "", frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), None),
    ("reserved bits", "", frame(TEXT, b"ping", reserved=3), None),
    ("compression that was not agreed on", "", frame(TEXT, b"ping", reserved=COMPRESSED), None),
    ("an opcode that is none", "", frame(0x3, b"ping"), None),
    ("a control opcode that is none", "", frame(0xB, b"ping"), None),
    ("a fragmented ping", "", frame(PING, b"p", final=False), None),
    ("a ping that is too long", "", frame(PING, b"p" * 126), None),
    ("a continuation of nothing", "", frame(CONTINUATION, b"ping"), None),
    ("a message within a message", "", frame(TEXT, b"pi", final=False) + frame(TEXT, b"ping"), None),
]

# What does not deserve an end: each is answered with one error.
TEXTS = [
    b"", b"{", b"[]", b"null", b"1", b'"ping"', b"[" * 30_000, b'{"a":' * 10_000, b"9" * 20_000, b"1e999", b"NaN",
    b'{"type": "\\ud800"}', b'{"type": ["ping"]}', b'{"type": "ping", "more": 1}', b'{"action": {}}', b"\0\0\0p",
    '{"type": "\N{SNOWMAN}"}'.encode(), b"\xef\xbb\xbfping",
]  # fmt: skip
PACKS = [
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


async def test_what_ends_a_socket(shared: Serving, tmp_path: Path) -> None:
    async with fake_operation(shared, await new_user(shared), started=False) as operation:

        async def code(headers: str, sent: bytes) -> int | None:
            async with connected(shared.url, operation.path, headers=headers) as socket:
                assert socket.status == 101
                found, _ = await asyncio.gather(socket.close_code(), socket.send(sent))
                return found

        codes = await asyncio.gather(*(code(headers, sent) for _, headers, sent, _ in ENDING))
    names = [name for name, _, _, _ in ENDING]
    assert dict(zip(names, codes, strict=True)) == {name: code for name, _, _, code in ENDING}


async def test_garbage_in_good_frames_is_answered_with_an_error_each(shared: Serving, tmp_path: Path) -> None:
    async with fake_operation(shared, await new_user(shared), started=False) as operation:
        for headers, opcode, messages in (("", TEXT, TEXTS), (PACKED, BINARY, PACKS)):
            async with connected(shared.url, operation.path, headers=headers) as socket:
                for number, message in enumerate(messages):
                    if number % 15 == 14:
                        await asyncio.sleep(1)  # the limit of messages in a second
                    await socket.send(frame(opcode, message))
                    assert await _answer(socket) == "error", message[:40]
                await socket.send(frame(TEXT, b'{"type":"ping"}', masked=False))
                assert await _answer(socket) == "pong"


async def _answer(socket: RawSocket) -> str:
    """The next answer's type."""
    while True:
        found = await socket.read()
        assert found is not None
        opcode, payload = found
        assert opcode != CLOSE, payload
        kind = (json.loads(payload) if opcode == TEXT else msgpack.unpackb(payload))["type"]
        if kind in ("error", "pong"):
            return str(kind)


async def test_words_after_the_end_are_not_heard(shared: Serving, tmp_path: Path) -> None:
    """A client may speak before it has read that it was refused, or that all is over."""
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


async def test_strange_handshakes_are_refused_or_taken_as_far_as_they_can_be(
    shared: Serving, tmp_path: Path
) -> None:
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
        tried = [(path, "") for path in paths] + [(operation.path, headers) for headers in HANDSHAKES]

        async def shake(path: str, headers: str) -> int:
            async with connected(shared.url, path, headers=headers) as socket:
                if socket.status == 101:
                    await socket.read()
                return socket.status

        answers = {path[:60] + headers[:60]: await shake(path, headers) for path, headers in tried}
    assert max(answers.values()) < 500
    assert {101, 400, 404} <= set(answers.values())


async def test_nothing_is_left_behind(shared: Serving, tmp_path: Path) -> None:
    """After ten rounds of fifty there are no more tasks, connections, sockets and keys than before the first."""
    client = await new_user(shared)
    chance = random.Random(20260115)
    async with fake_operation(shared, client, started=False) as operation:
        await asyncio.gather(*(operation.publish("error", n=n) for n in range(20)))
        before = await settled(shared, lambda traces: traces.sockets == traces.connections == 0)
        for _ in range(10):
            await asyncio.gather(*(_torment(shared, operation, chance) for _ in range(50)))
        await settled(shared, lambda traces: traces.no_more_than(before))


async def _torment(serving: Serving, operation: FakeOperation, chance: random.Random) -> None:
    """One connection that ends badly, in one way or another."""
    _, headers, sent, _ = chance.choice(ENDING)
    whole = handshake("x", operation.path, headers)
    refused = handshake("x", "/ws/operations/x?token=x", headers)
    strange = handshake("x", operation.path, chance.choice(HANDSHAKES))
    garbled = whole + chance.randbytes(300)
    async with opened(serving.url) as socket:
        way = chance.randrange(6)
        if way == 0:
            await socket.send(whole[: chance.randrange(len(whole))])
        elif way == 1:
            await socket.send(chance.randbytes(500))
        else:
            cut = sent[: chance.randint(0, min(len(sent), 100_000))]
            await socket.send([whole + cut, refused + cut, strange + cut, garbled][way - 2])
            if chance.random() < 0.5:
                await socket.answered()
