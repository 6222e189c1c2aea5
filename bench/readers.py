"""The sockets' other end: one process, one epoll, and as little work for a message as Python allows.

The first socket that gets a message reads it; the others compare their bytes with it. So each of them is known to
have had every seq with the same id, once and in order. Runs in a process of its own; told what to do by a pipe.
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

_HANDSHAKES = 64  # at the same time
_CONNECT_S = 60.0
_SILENCE_S = 15.0  # after this long without a message, what is missing is lost
_READ_BYTES = 1 << 16  # more would be mapped and unmapped at every read
_TEXT, _CLOSE, _PING = 1, 8, 9
_FINAL, _COMPRESSED, _OPCODE = 0x80, 0x40, 0x0F
_TAIL = b"\x00\x00\xff\xff"
_OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"


@dataclass(frozen=True)
class Plan:
    """Whom to read: socket number n asks for `paths[n % len(paths)]`; `deflate` offers compression, as browsers do."""

    host: str
    port: int
    paths: tuple[str, ...]
    sockets: int
    deflate: bool


@dataclass(frozen=True)
class Taken:
    """What one round of messages came to. `waits_ns`: sorted, from sending to receipt, one for each delivery."""

    delivered: int
    wire_bytes: int
    last_ns: int
    cpu_s: float
    wall_s: float
    waits_ns: array[int]
    lost: int
    repeated: int
    foreign: int
    closed: tuple[str, ...]


@dataclass(frozen=True)
class _Message:
    wire: bytes
    id: str
    sent_ns: int


@dataclass(eq=False)
class _Socket:
    connection: socket.socket
    seen: dict[int, _Message]  # shared by the sockets of one path
    rest: bytes = b""
    upgraded: bool = False
    ready: bool = False
    next_seq: int = 1
    inflater: Any = None  # zlib's, where the server keeps its context between messages


@dataclass
class _Round:
    last_seq: int
    begun: float = field(default_factory=time.monotonic)
    cpu_s: float = field(default_factory=time.process_time)
    waits_ns: array[int] = field(default_factory=lambda: array("q"))
    wire_bytes: int = 0
    lost: int = 0
    repeated: int = 0
    foreign: int = 0


def main(pipe: Connection, plan: Plan) -> None:
    """Connect, say "connected", then answer each `last_seq` with "waiting" and, when it came everywhere, a Taken."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for whoever holds the other end of the pipe
    readers = _Readers(plan)
    readers.connect()
    pipe.send("connected")
    try:
        while True:
            last_seq = readers.idle(pipe)
            taken = readers.begin(last_seq)
            pipe.send("waiting")
            readers.take(taken)
            pipe.send(readers.end(taken))
    except (EOFError, ConnectionError):  # the load tool has ended
        return


class _Readers:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._poll = select.epoll()
        self._sockets: dict[int, _Socket] = {}
        self._all: list[_Socket] = []
        self._seen: list[dict[int, _Message]] = [{} for _ in plan.paths]
        self._closed: list[str] = []
        self._round = _Round(0)
        self._behind = 0
        self._last_ns = 0

    def connect(self) -> None:
        """Open all sockets, some at a time; each is open when its first message has come."""
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

    def idle(self, pipe: Connection) -> int:
        """Answer pings until the next command comes; raises EOFError when there will be none."""
        self._poll.register(pipe.fileno(), select.EPOLLIN)
        try:
            while not pipe.poll():
                self._read(-1)
            return int(pipe.recv())
        finally:
            self._poll.unregister(pipe.fileno())

    def begin(self, last_seq: int) -> _Round:
        for seen in self._seen:
            seen.clear()
        self._behind = sum(each.next_seq <= last_seq for each in self._sockets.values())
        self._round = _Round(last_seq)
        return self._round

    def take(self, taken: _Round) -> None:
        heard = time.monotonic()
        while self._behind > 0:
            if self._read(1.0):
                heard = time.monotonic()
            elif time.monotonic() - heard > _SILENCE_S:
                return

    def end(self, taken: _Round) -> Taken:
        cpu_s, wall_s = time.process_time() - taken.cpu_s, time.monotonic() - taken.begun
        missing = sum(max(0, taken.last_seq + 1 - each.next_seq) for each in self._all)
        for each in self._all:
            each.next_seq = max(each.next_seq, taken.last_seq + 1)
        return Taken(
            delivered=len(taken.waits_ns),
            wire_bytes=taken.wire_bytes,
            last_ns=self._last_ns,
            cpu_s=cpu_s,
            wall_s=wall_s,
            waits_ns=array("q", sorted(taken.waits_ns)),
            lost=taken.lost + missing,
            repeated=taken.repeated,
            foreign=taken.foreign,
            closed=tuple(self._closed),
        )

    def _open(self, number: int) -> None:
        plan = self._plan
        connection = socket.create_connection((plan.host, plan.port), _CONNECT_S)
        path = number % len(plan.paths)
        connection.sendall(
            f"GET {plan.paths[path]} HTTP/1.1\r\nHost: {plan.host}:{plan.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Sec-WebSocket-Version: 13\r\n{_OFFER if plan.deflate else ''}\r\n".encode()
        )
        connection.setblocking(False)
        one = _Socket(connection, self._seen[path])
        self._all.append(one)
        self._sockets[connection.fileno()] = one
        self._poll.register(connection.fileno(), select.EPOLLIN)

    def _read(self, timeout_s: float) -> bool:
        """Take what has come, or wait for it; whether any came."""
        events = self._poll.poll(timeout_s)
        for descriptor, _ in events:
            one = self._sockets.get(descriptor)
            if one is None:
                continue  # the pipe
            try:
                data = one.connection.recv(_READ_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                self._close(one, str(error))
                continue
            if not data:
                self._close(one, "the connection was closed without a code")
            elif one.upgraded:
                self._frames(one, one.rest + data if one.rest else data)
            else:
                self._upgrade(one, one.rest + data)
        return bool(events)

    def _upgrade(self, one: _Socket, data: bytes) -> None:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            one.rest = data
            return
        answer = head.decode("latin-1").lower()
        if not answer.startswith("http/1.1 101"):
            raise SystemExit(f"A socket was refused: {answer.splitlines()[0]}")
        if "permessage-deflate" in answer and "server_no_context_takeover" not in answer:
            one.inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        one.upgraded = True
        self._frames(one, rest)

    def _frames(self, one: _Socket, data: bytes) -> None:
        """Take every whole frame in `data`; what is left waits for the rest of it."""
        now_ns = self._last_ns = time.monotonic_ns()
        taken, waits_ns, last_seq = self._round, self._round.waits_ns, self._round.last_seq
        seen, inflater = one.seen, one.inflater
        at, size = 0, len(data)
        while size - at >= 2:
            kind, length, start = data[at], data[at + 1], at + 2
            if length == 126:
                length, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                length, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            end = start + length
            if end > size:
                break
            at = end
            if kind & _OPCODE != _TEXT:
                self._control(one, kind & _OPCODE, data[start:end])
                continue
            taken.wire_bytes += length
            known = seen.get(one.next_seq)
            if inflater is not None and kind & _COMPRESSED:
                wire = inflater.decompress(data[start:end]) + inflater.decompress(_TAIL)
                same = known is not None and wire == known.wire
            else:
                same = known is not None and len(known.wire) == length and data.startswith(known.wire, start)
                wire = b"" if same else data[start:end]
            if same:
                assert known is not None
                waits_ns.append(now_ns - known.sent_ns)
                if one.next_seq == last_seq:
                    self._behind -= 1
                one.next_seq += 1
            else:
                self._look(one, wire, inflater is None and bool(kind & _COMPRESSED), now_ns)
        one.rest = data[at:]

    def _look(self, one: _Socket, wire: bytes, compressed: bool, now_ns: int) -> None:
        """Read a message that is not, byte for byte, the next one as another socket had it."""
        text = zlib.decompressobj(-zlib.MAX_WBITS).decompress(wire + _TAIL) if compressed else wire
        frame = json.loads(text)
        one.ready = True
        seq = frame.get("seq")
        if seq is None:
            return  # a snapshot
        taken = self._round
        if seq < one.next_seq:
            taken.repeated += 1
            return
        taken.lost += seq - one.next_seq
        known = one.seen.setdefault(seq, _Message(wire, frame["id"], frame["data"]["sent_ns"]))
        taken.foreign += known.id != frame["id"]
        taken.waits_ns.append(now_ns - known.sent_ns)
        if one.next_seq <= taken.last_seq <= seq:
            self._behind -= 1
        one.next_seq = seq + 1

    def _control(self, one: _Socket, opcode: int, body: bytes) -> None:
        if opcode == _PING:
            one.connection.send(bytes((_FINAL | 10, _FINAL | len(body), 0, 0, 0, 0)) + body)
        elif opcode == _CLOSE:
            self._close(one, f"{int.from_bytes(body[:2], 'big')} {body[2:].decode()}")

    def _close(self, one: _Socket, reason: str) -> None:
        if self._sockets.pop(one.connection.fileno(), None) is None:
            return
        self._closed.append(reason)
        self._behind -= one.next_seq <= self._round.last_seq
        self._poll.unregister(one.connection.fileno())
        one.connection.close()
