"""The client side of the socket benchmark: one process, one epoll, and as little work per message as possible.

The first socket that receives a message parses it; the others compare their bytes with it. So each socket is checked to
receive every seq with the same id, once and in order. Runs in its own process, and is controlled through a pipe.
"""

from __future__ import annotations

import json
import select
import signal
import socket
import time
import zlib
from array import array
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from bench.socket_rounds import ReaderPlan, RoundResult

_HANDSHAKES = 64  # at the same time
_CONNECT_S = 60.0
_SILENCE_S = 15.0  # after this long without a message, missing messages count as lost
_READ_BYTES = 1 << 16  # a larger buffer would be mapped and unmapped for every read
_TEXT, _CLOSE, _PING = 1, 8, 9
_FINAL, _COMPRESSED, _OPCODE = 0x80, 0x40, 0x0F
_DEFLATE_TAIL = b"\x00\x00\xff\xff"
_DEFLATE_OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"


@dataclass(frozen=True)
class _Message:
    payload: bytes
    id: str
    sent_ns: int


@dataclass(eq=False)
class _Socket:
    connection: socket.socket
    known_messages: dict[int, _Message]  # shared by the sockets of one path
    buffer: bytes = b""
    upgraded: bool = False
    ready: bool = False
    next_seq: int = 1
    inflater: Any = None  # zlib's, if the server keeps the compression context between messages


@dataclass
class _Round:
    last_seq: int
    started: float = field(default_factory=time.monotonic)
    cpu_s: float = field(default_factory=time.process_time)
    latencies_ns: array[int] = field(default_factory=lambda: array("q"))
    wire_bytes: int = 0
    lost: int = 0
    repeated: int = 0
    mismatched: int = 0


def main(pipe: Connection, plan: ReaderPlan) -> None:
    """Connect, send "connected", then answer each `last_seq` with "waiting", and with a RoundResult at its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles Ctrl-C
    readers = _SocketReaders(plan)
    readers.connect()
    pipe.send("connected")
    try:
        while True:
            last_seq = readers.wait_for_round(pipe)
            current = readers.begin_round(last_seq)
            pipe.send("waiting")
            readers.receive()
            pipe.send(readers.end_round(current))
    except (EOFError, ConnectionError):  # the load tool has ended
        return


class _SocketReaders:
    def __init__(self, plan: ReaderPlan) -> None:
        self._plan = plan
        self._poll = select.epoll()
        self._sockets: dict[int, _Socket] = {}
        self._all: list[_Socket] = []
        self._known_messages: list[dict[int, _Message]] = [{} for _ in plan.paths]
        self._closed: list[str] = []
        self._round = _Round(0)
        self._waiting_sockets = 0
        self._last_ns = 0

    def connect(self) -> None:
        """Open all sockets, a few at a time; a socket is open when its first message has arrived."""
        waiting = deque(range(self._plan.sockets))
        deadline = time.monotonic() + _CONNECT_S
        opened = 0
        while True:
            ready = sum(each.ready for each in self._all)
            while waiting and opened - ready < _HANDSHAKES:
                self._open(waiting.popleft())
                opened += 1
            if self._closed:
                raise SystemExit(f"A socket was closed while the others were opened: {self._closed[0]}")
            if ready == self._plan.sockets:
                return
            if time.monotonic() > deadline:
                raise SystemExit(f"Only {ready} sockets were open after {_CONNECT_S:g} s.")
            self._read(1.0)

    def wait_for_round(self, pipe: Connection) -> int:
        """Answer pings until the next command arrives; raises EOFError when the pipe is closed."""
        self._poll.register(pipe.fileno(), select.EPOLLIN)
        try:
            while not pipe.poll():
                self._read(-1)
            return int(pipe.recv())
        finally:
            self._poll.unregister(pipe.fileno())

    def begin_round(self, last_seq: int) -> _Round:
        for known_messages in self._known_messages:
            known_messages.clear()
        self._waiting_sockets = sum(each.next_seq <= last_seq for each in self._sockets.values())
        self._round = _Round(last_seq)
        return self._round

    def receive(self) -> None:
        last_data = time.monotonic()
        while self._waiting_sockets > 0:
            if self._read(1.0):
                last_data = time.monotonic()
            elif time.monotonic() - last_data > _SILENCE_S:
                return

    def end_round(self, current: _Round) -> RoundResult:
        cpu_s, wall_s = time.process_time() - current.cpu_s, time.monotonic() - current.started
        missing = sum(max(0, current.last_seq + 1 - each.next_seq) for each in self._all)
        for each in self._all:
            each.next_seq = max(each.next_seq, current.last_seq + 1)
        return RoundResult(
            delivered=len(current.latencies_ns),
            wire_bytes=current.wire_bytes,
            last_ns=self._last_ns,
            cpu_s=cpu_s,
            wall_s=wall_s,
            latencies_ns=array("q", sorted(current.latencies_ns)),
            lost=current.lost + missing,
            repeated=current.repeated,
            mismatched=current.mismatched,
            closed=tuple(self._closed),
        )

    def _open(self, number: int) -> None:
        plan = self._plan
        connection = socket.create_connection((plan.host, plan.port), _CONNECT_S)
        path = number % len(plan.paths)
        connection.sendall(
            f"GET {plan.paths[path]} HTTP/1.1\r\nHost: {plan.host}:{plan.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Sec-WebSocket-Version: 13\r\n{_DEFLATE_OFFER if plan.deflate else ''}\r\n".encode()
        )
        connection.setblocking(False)
        reader = _Socket(connection, self._known_messages[path])
        self._all.append(reader)
        self._sockets[connection.fileno()] = reader
        self._poll.register(connection.fileno(), select.EPOLLIN)

    def _read(self, timeout_s: float) -> bool:
        """Wait for data and process it; returns whether there was any."""
        events = self._poll.poll(timeout_s)
        for descriptor, _ in events:
            reader = self._sockets.get(descriptor)
            if reader is None:
                continue  # the pipe
            try:
                data = reader.connection.recv(_READ_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                self._close(reader, str(error))
                continue
            if not data:
                self._close(reader, "the connection was closed without a code")
            elif reader.upgraded:
                self._read_frames(reader, reader.buffer + data if reader.buffer else data)
            else:
                self._upgrade(reader, reader.buffer + data)
        return bool(events)

    def _upgrade(self, reader: _Socket, data: bytes) -> None:
        head, end, remainder = data.partition(b"\r\n\r\n")
        if not end:
            reader.buffer = data
            return
        answer = head.decode("latin-1").lower()
        if not answer.startswith("http/1.1 101"):
            raise SystemExit(f"A socket was refused: {answer.splitlines()[0]}")
        if "permessage-deflate" in answer and "server_no_context_takeover" not in answer:
            reader.inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        reader.upgraded = True
        self._read_frames(reader, remainder)

    def _read_frames(self, reader: _Socket, data: bytes) -> None:
        """Process every complete WebSocket frame in `data`; an incomplete one stays in the buffer."""
        now_ns = self._last_ns = time.monotonic_ns()
        current, latencies_ns, last_seq = self._round, self._round.latencies_ns, self._round.last_seq
        known_messages, inflater = reader.known_messages, reader.inflater
        position, size = 0, len(data)
        while size - position >= 2:
            first_byte, length, start = data[position], data[position + 1], position + 2
            if length == 126:
                length, start = int.from_bytes(data[position + 2 : position + 4], "big"), position + 4
            elif length == 127:
                length, start = int.from_bytes(data[position + 2 : position + 10], "big"), position + 10
            end = start + length
            if end > size:
                break
            position = end
            if first_byte & _OPCODE != _TEXT:
                self._control(reader, first_byte & _OPCODE, data[start:end])
                continue
            current.wire_bytes += length
            known = known_messages.get(reader.next_seq)
            if inflater is not None and first_byte & _COMPRESSED:
                payload = inflater.decompress(data[start:end]) + inflater.decompress(_DEFLATE_TAIL)
                is_same = known is not None and payload == known.payload
            else:
                is_same = (
                    known is not None
                    and len(known.payload) == length
                    and data.startswith(known.payload, start)
                )
                payload = b"" if is_same else data[start:end]
            if is_same:
                assert known is not None
                latencies_ns.append(now_ns - known.sent_ns)
                if reader.next_seq == last_seq:
                    self._waiting_sockets -= 1
                reader.next_seq += 1
            else:
                self._read_message(
                    reader, payload, inflater is None and bool(first_byte & _COMPRESSED), now_ns
                )
        reader.buffer = data[position:]

    def _read_message(self, reader: _Socket, payload: bytes, compressed: bool, now_ns: int) -> None:
        """Parse a message that is not byte for byte the next one that another socket has received."""
        text = (
            zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload + _DEFLATE_TAIL) if compressed else payload
        )
        message = json.loads(text)
        reader.ready = True
        seq = message.get("seq")
        if seq is None:
            return  # a snapshot
        current = self._round
        if seq < reader.next_seq:
            current.repeated += 1
            return
        current.lost += seq - reader.next_seq
        known = reader.known_messages.setdefault(
            seq, _Message(payload, message["id"], message["data"]["sent_ns"])
        )
        current.mismatched += known.id != message["id"]
        current.latencies_ns.append(now_ns - known.sent_ns)
        if reader.next_seq <= current.last_seq <= seq:
            self._waiting_sockets -= 1
        reader.next_seq = seq + 1

    def _control(self, reader: _Socket, opcode: int, body: bytes) -> None:
        if opcode == _PING:
            reader.connection.send(bytes((_FINAL | 10, _FINAL | len(body), 0, 0, 0, 0)) + body)
        elif opcode == _CLOSE:
            self._close(reader, f"{int.from_bytes(body[:2], 'big')} {body[2:].decode()}")

    def _close(self, reader: _Socket, reason: str) -> None:
        if self._sockets.pop(reader.connection.fileno(), None) is None:
            return
        self._closed.append(reason)
        self._waiting_sockets -= reader.next_seq <= self._round.last_seq
        self._poll.unregister(reader.connection.fileno())
        reader.connection.close()
