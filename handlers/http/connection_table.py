"""All open connections: how many there may be, and how long they may wait. Knows no HTTP. Runs on the loop.

When a limit is reached, a new connection takes the place of the one that has waited longest for a request, among those
that have not signed in: slow and silent connections cannot keep others out. Requests in progress are never cut off
for it. `sweep` closes what exceeds its time.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from handlers.http.limited_log import LimitedLog
from semantik.config.connection_settings import ConnectionSettings

_SWEEP_S = 1.0
_IPV6_SITE_BITS = 64

log = logging.getLogger("semantik.http")


class Stream(Protocol):
    """What the table needs of a connection's byte stream."""

    sent_bytes: int

    def close(self) -> None: ...

    def writing(self) -> bool: ...


class Phase(Enum):
    """Where a connection is; in all phases but HANDLING it waits for the client."""

    IDLE = auto()  # for the first byte of a request
    HEADER = auto()
    BODY = auto()
    HANDLING = auto()


class Connection:
    """One connection; the methods report what happens to it. What `is_upgraded` to a WebSocket has its own times."""

    __slots__ = (
        "_table",
        "address",
        "authenticated",
        "exempt",
        "is_upgraded",
        "on_body_timeout",
        "phase",
        "since",
        "stream",
    )

    def __init__(self, table: ConnectionTable, address: str, exempt: bool) -> None:
        self._table = table
        self.address = address
        self.exempt = exempt
        self.authenticated = False
        self.phase = Phase.IDLE
        self.since = table.now()
        self.stream: Stream | None = None
        self.on_body_timeout: Callable[[], None] | None = None
        self.is_upgraded: Callable[[], bool] = lambda: False

    def request_awaited(self) -> None:
        """The connection waits for a request: for its first one, or since its last one was answered."""
        self.on_body_timeout = None
        self._table.change(self, Phase.IDLE)

    def bytes_received(self) -> None:
        if self.phase is Phase.IDLE:
            self.phase, self.since = Phase.HEADER, self._table.now()

    def headers_received(self, on_body_timeout: Callable[[], None]) -> None:
        self.on_body_timeout = on_body_timeout
        self.phase, self.since = Phase.BODY, self._table.now()

    def body_goes_on(self) -> None:
        """Part of a long body has come: the time for it begins anew."""
        self.since = self._table.now()

    def request_complete(self) -> None:
        self.on_body_timeout = None
        self._table.change(self, Phase.HANDLING)

    def signed_in(self) -> None:
        self._table.mark_authenticated(self)

    def write_began(self) -> None:
        self._table.note_writing(self)

    def closed(self) -> None:
        self._table.remove(self)


class ConnectionTable:
    """`limits()` are the current settings; `total` of them cannot change. `run` enforces the times."""

    def __init__(
        self, limits: Callable[[], ConnectionSettings], total: int, now: Callable[[], float] | None = None
    ) -> None:
        self.now = now or asyncio.get_running_loop().time
        self._limits = limits
        self._total = total
        self._all: set[Connection] = set()
        self._waiting: dict[Connection, None] = {}  # in the order in which they began to wait
        self._writing: dict[Connection, tuple[float, int]] = {}  # since when, and what was sent by then
        self._per_address: Counter[str] = Counter()
        self._anonymous = 0
        self._warnings = LimitedLog(log)
        self._closes_idle: Callable[[Connection], bool] = lambda each: False
        self._ended = asyncio.Event()

    def admit(self, address: str, exempt: bool) -> Connection | None:
        """A new connection, after another has made room for it if need be; None when there is no room.

        `exempt`: it is that of a trusted proxy, behind which many clients are; only `total` limits those.
        """
        site = _site(address)
        if not self._make_room(site, exempt):
            self._warnings.warn(
                "Connections are refused, since there are too many; the last came from %s", address
            )
            return None
        connection = Connection(self, site, exempt)
        self._all.add(connection)
        self._waiting[connection] = None
        if not exempt:
            self._per_address[site] += 1
            self._anonymous += 1
        return connection

    def make_room(self) -> bool:
        """Close the connection that has waited longest; False when none waits."""
        return self._evict(_is_anonymous) or self._evict(lambda each: each.phase is Phase.IDLE)

    def change(self, connection: Connection, phase: Phase) -> None:
        connection.phase, connection.since = phase, self.now()
        self._waiting.pop(connection, None)  # it goes to the end of the order
        if phase is Phase.IDLE and connection in self._all:
            self._waiting[connection] = None
            if self._closes_idle(connection) and connection.stream is not None:
                connection.stream.close()
            self._ended.set()

    def mark_authenticated(self, connection: Connection) -> None:
        if not connection.authenticated and connection in self._all and not connection.exempt:
            self._anonymous -= 1
        connection.authenticated = True

    def note_writing(self, connection: Connection) -> None:
        if connection.stream is not None and connection not in self._writing:
            self._writing[connection] = self.now(), connection.stream.sent_bytes

    def remove(self, connection: Connection) -> None:
        if connection not in self._all:
            return
        self._ended.set()
        self._all.discard(connection)
        self._waiting.pop(connection, None)
        self._writing.pop(connection, None)
        if not connection.exempt:
            self._anonymous -= not connection.authenticated
            self._per_address[connection.address] -= 1
            if not self._per_address[connection.address]:
                del self._per_address[connection.address]

    @property
    def has_proxies(self) -> bool:
        """Whether a connection comes from a trusted proxy."""
        return any(each.exempt for each in self._all)

    async def drain(self, proxies_s: float) -> None:
        """Close connections that are idle, and others once their request is answered; return when all are closed.

        Those of trusted proxies stay for `proxies_s` seconds: a proxy that has not noticed yet that the server stops
        may be sending a request on one, which would be lost. WebSockets are not waited for.
        """
        self._close_idle(lambda each: not each.exempt)
        if self.has_proxies:
            await asyncio.sleep(proxies_s)
        self._close_idle(lambda each: True)
        while any(not each.is_upgraded() for each in self._all):
            self._ended.clear()
            await self._ended.wait()

    def _close_idle(self, which: Callable[[Connection], bool]) -> None:
        self._closes_idle = which
        for each in list(self._waiting):
            if each.phase is Phase.IDLE and each.stream is not None and which(each):
                each.stream.close()

    async def run(self) -> None:
        """Enforce the times for ever."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            self.sweep()

    def sweep(self) -> None:
        """Close connections that have exceeded their time."""
        now, limits = self.now(), self._limits()
        allowed_s = {Phase.IDLE: limits.idle_s, Phase.HEADER: limits.header_s, Phase.BODY: limits.body_s}
        for each in list(self._waiting):
            waited_s = now - each.since
            if waited_s > allowed_s[each.phase]:
                self._time_out(each)
        for each, (since, sent) in list(self._writing.items()):
            self._check_writing(each, since, sent, now - limits.write_s)

    def _time_out(self, connection: Connection) -> None:
        if connection.phase is Phase.BODY and connection.on_body_timeout is not None:
            connection.on_body_timeout()
        elif connection.stream is not None:
            connection.stream.close()

    def _check_writing(self, connection: Connection, since: float, sent: int, latest: float) -> None:
        stream = connection.stream
        if stream is None or not stream.writing() or connection.is_upgraded():
            del self._writing[connection]
        elif stream.sent_bytes > sent:
            self._writing[connection] = self.now(), stream.sent_bytes
        elif since < latest:
            stream.close()

    def _make_room(self, site: str, exempt: bool) -> bool:
        limits = self._limits()
        if not exempt:
            full = self._per_address[site] >= limits.per_address
            if full and not self._evict(lambda each: each.address == site and _is_anonymous(each)):
                return False
            if self._anonymous >= limits.anonymous and not self._evict(_is_anonymous):
                return False
        return len(self._all) < self._total or self.make_room()

    def _evict(self, candidate: Callable[[Connection], bool]) -> bool:
        """Close the first waiting connection that is a candidate; False when there is none."""
        found = next((each for each in self._waiting if each.stream is not None and candidate(each)), None)
        if found is None or found.stream is None:
            return False
        self._warnings.warn("Connections are closed before their request came, to make room for new ones")
        found.stream.close()
        return True


def _is_anonymous(connection: Connection) -> bool:
    return not (connection.authenticated or connection.exempt)


def _site(address: str) -> str:
    """What counts as one address: of IPv6 the network of a site, whose every machine has any number of addresses."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address.partition("%")[0], _IPV6_SITE_BITS), strict=False))
