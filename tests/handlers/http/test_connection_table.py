"""The connection table by itself, with a clock of its own: who must make room, and who has exceeded a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from handlers.http.connection_table import Connection, ConnectionTable
from semantik.config.connection_settings import ConnectionSettings

LIMITS = ConnectionSettings(per_address=3, anonymous=4)


@dataclass
class Stream:
    """`unsent` is what the client has not read."""

    connection: Connection
    sent_bytes: int = 0
    unsent: bool = False
    is_closed: bool = False

    def close(self) -> None:
        self.is_closed = True
        self.connection.closed()

    def writing(self) -> bool:
        return self.unsent


@dataclass
class Bench:
    time: float = 0.0
    table: ConnectionTable = field(init=False)

    def __post_init__(self) -> None:
        self.table = ConnectionTable(lambda: LIMITS, 6, lambda: self.time)

    def connect(self, address: str, exempt: bool = False) -> Stream | None:
        connection = self.table.admit(address, exempt)
        if connection is None:
            return None
        stream = connection.stream = Stream(connection)
        connection.request_awaited()
        return stream

    def connected(self, address: str, exempt: bool = False) -> Stream:
        stream = self.connect(address, exempt)
        assert stream is not None
        return stream


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.noisy
def test_the_one_that_waited_longest_makes_room_at_its_address(bench: Bench) -> None:
    first, second, _ = [bench.connected("192.0.2.1") for _ in range(3)]
    other = bench.connected("192.0.2.2")
    first.connection.request_complete()
    assert bench.connect("192.0.2.1") is not None
    assert [first.is_closed, second.is_closed, other.is_closed] == [False, True, False]


@pytest.mark.noisy
def test_requests_in_progress_and_users_are_not_cut_off(bench: Bench) -> None:
    for _ in range(3):
        bench.connected("192.0.2.1").connection.signed_in()
    assert bench.connect("192.0.2.1") is None
    bench.connected("192.0.2.2").connection.request_complete()
    assert bench.connect("192.0.2.2") is not None


@pytest.mark.noisy
def test_anonymous_connections_are_counted_apart(bench: Bench) -> None:
    user = bench.connected("192.0.2.9")
    user.connection.signed_in()
    anonymous = [bench.connected(f"192.0.2.{number}") for number in range(5)]
    assert [each.is_closed for each in anonymous] == [True, False, False, False, False]
    assert not user.is_closed


@pytest.mark.noisy
def test_a_proxy_is_limited_by_the_total_alone(bench: Bench) -> None:
    streams = [bench.connected("127.0.0.1", exempt=True) for _ in range(6)]
    for each in streams[1:]:
        each.connection.request_complete()
    bench.connected("127.0.0.1", exempt=True).connection.request_complete()
    assert streams[0].is_closed
    assert bench.connect("127.0.0.1", exempt=True) is None


@pytest.mark.noisy
def test_ipv6_addresses_of_one_site_count_as_one(bench: Bench) -> None:
    first = bench.connected("2001:db8:1:1::1")
    for number in range(2, 5):
        bench.connected(f"2001:db8:1:1::{number}")
    assert first.is_closed


def test_what_is_closed_is_not_counted(bench: Bench) -> None:
    for _ in range(20):
        stream = bench.connected("192.0.2.1")
        stream.connection.signed_in()
        stream.close()
        stream.close()


def test_each_phase_has_its_time(bench: Bench) -> None:
    idle, slow_header, body, handling = [bench.connected(f"192.0.2.{number}") for number in range(4)]
    slow_header.connection.bytes_received()
    timeouts: list[str] = []
    body.connection.headers_received(lambda: timeouts.append("body"))
    handling.connection.request_complete()
    bench.time = LIMITS.header_s + 0.1
    bench.table.sweep()
    assert slow_header.is_closed and not idle.is_closed and not timeouts
    bench.time = LIMITS.body_s + 0.1
    bench.table.sweep()
    assert timeouts == ["body"] and not idle.is_closed
    bench.time = LIMITS.idle_s + 0.1
    bench.table.sweep()
    assert idle.is_closed and not handling.is_closed


def test_more_bytes_do_not_extend_the_time_of_a_header(bench: Bench) -> None:
    slow = bench.connected("192.0.2.1")
    while bench.time < LIMITS.header_s:
        slow.connection.bytes_received()
        bench.time += 1
    bench.time += 0.1
    bench.table.sweep()
    assert slow.is_closed


def test_a_client_that_reads_nothing_is_disconnected(bench: Bench) -> None:
    stalled, slow, upgraded = [bench.connected(f"192.0.2.{number}") for number in range(3)]
    upgraded.connection.is_upgraded = lambda: True
    for each in (stalled, slow, upgraded):
        each.connection.request_complete()
        each.unsent = True
        each.connection.write_began()
    bench.time = LIMITS.write_s - 1
    slow.sent_bytes += 1
    bench.table.sweep()
    bench.time = LIMITS.write_s + 1
    bench.table.sweep()
    assert [each.is_closed for each in (stalled, slow, upgraded)] == [True, False, False]


@pytest.mark.gen_test
async def test_draining_waits_for_requests_and_closes_what_is_idle(bench: Bench) -> None:
    idle, busy, socket = [bench.connected(f"192.0.2.{number}") for number in range(3)]
    busy.connection.request_complete()
    socket.connection.request_complete()
    socket.connection.is_upgraded = lambda: True
    draining = asyncio.create_task(bench.table.drain(0))
    await asyncio.sleep(0)
    assert [idle.is_closed, busy.is_closed] == [True, False] and not draining.done()
    busy.connection.request_awaited()  # its answer is written
    await draining
    assert busy.is_closed and not socket.is_closed


@pytest.mark.gen_test
async def test_draining_lets_a_proxy_notice_first(bench: Bench) -> None:
    idle, between = (bench.connected("192.0.2.1", exempt=True) for _ in range(2))
    between.connection.request_complete()
    assert bench.table.has_proxies
    draining = asyncio.create_task(bench.table.drain(0.05))
    await asyncio.sleep(0)
    between.connection.request_awaited()
    assert [idle.is_closed, between.is_closed] == [False, False]
    idle.connection.bytes_received()  # a request that was on its way
    idle.connection.request_complete()
    await asyncio.sleep(0.1)
    assert [idle.is_closed, between.is_closed] == [False, True]
    idle.connection.request_awaited()
    await draining
    assert idle.is_closed
