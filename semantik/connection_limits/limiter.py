"""Seats: how many sockets and scans a user has, and how many watch an operation, over all server processes.

A process counts its own and tells Redis, all in one task; what it has told is true while its key there lives.
Must not know sockets. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from semantik.config.settings import SocketSettings
from semantik.connection_limits.watcher_counts import WatcherCount, WatcherCounts
from semantik.core.errors import Busy, SemantikError, Unavailable
from semantik.progress.redis_client import SCANS, SOCKETS, WATCHERS, RedisClient, backoff_delays

LIFE_S = 15.0  # a process that is silent this long does not count any more; it speaks three times as often
REWRITE_S = 600.0  # a process tells everything that it has this often, so that the hashes do not expire
TAKE_S = 5.0
CLOSE_S = 1.0
BATCH = 500

USER_FULL = (
    "You have {n} sockets open, and {most} are allowed (sockets.per_user): close one, or try again later."
)
OPERATION_FULL = (
    "{n} sockets watch this operation, and {most} are allowed (sockets.per_operation): try again later."
)
SCANS_FULL = (
    "You have {n} scans running, and {most} are allowed (sockets.scans_per_user): "
    "cancel one, or try again later."
)

log = logging.getLogger("semantik.progress")


class _CounterKey(NamedTuple):
    """What is counted: the topic's key in Redis, and who sits there."""

    key: str
    user: str


class _Limit(NamedTuple):
    place: _CounterKey
    most: int
    refusal: str


@dataclass(eq=False)
class _Reservation:
    """Places that are taken and left together. `answer`: why not, or None when they are taken."""

    claims: tuple[_Limit, ...]
    answer: asyncio.Future[SemantikError | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    counted: bool = False
    left: bool = False

    @property
    def places(self) -> list[_CounterKey]:
        return [claim.place for claim in self.claims]

    def settle(self, refusal: SemantikError | None) -> None:
        if not self.answer.done():
            self.answer.set_result(refusal)


class ConnectionLimiter:
    """`run()` is the task that does all the telling; without it nothing can be taken."""

    def __init__(
        self, link: RedisClient, limits: Callable[[], SocketSettings], life_s: float = LIFE_S
    ) -> None:
        self._link = link
        self._limits = limits
        self._life_s = life_s
        self._process = secrets.token_hex(8)  # a server that starts again does not inherit what it had
        self._number = 0  # of what was told last
        self._counts: Counter[_CounterKey] = Counter()
        self._stale: set[_CounterKey] = set()  # Redis may not have these as they are counted here
        self._wanted: list[_Reservation] = []
        self._whole = True  # Redis may not have anything as it is counted here
        self._renew_at = self._rewrite_at = 0.0
        self._news = asyncio.Event()
        self._presences = WatcherCounts(link, life_s / 3, self._news)

    def socket(self, user_id: str, operation_id: str | None = None) -> AbstractAsyncContextManager[None]:
        """`async with`: the user has one more socket open, which watches the operation, if one is given.

        Entering raises Busy when a limit is reached, and Unavailable when Redis is away. Leaving waits for nothing.
        """
        user, operation = SOCKETS.format(user_id=user_id), WATCHERS + (operation_id or "")
        claims = [_Limit(_CounterKey(user, user_id), self._limits().per_user, USER_FULL)]
        if operation_id is not None:
            claims.append(
                _Limit(_CounterKey(operation, user_id), self._limits().per_operation, OPERATION_FULL)
            )
        return self._taken(*claims)

    def watching(self, user_id: str, operation_id: str) -> AbstractAsyncContextManager[None]:
        """`async with`: a socket that the user has open already watches this operation too; no limit refuses that."""
        place = _CounterKey(WATCHERS + operation_id, user_id)
        return self._taken(_Limit(place, sys.maxsize, OPERATION_FULL))

    def scan(self, user_id: str) -> AbstractAsyncContextManager[None]:
        """`async with`: the user has one more scan running; the errors are those of `socket`."""
        place = _CounterKey(SCANS.format(user_id=user_id), user_id)
        return self._taken(_Limit(place, self._limits().scans_per_user, SCANS_FULL))

    def subscribe(
        self, operation_id: str, on_change: Callable[[str, WatcherCount], None]
    ) -> AbstractContextManager[None]:
        """`with`: `on_change` is called soon with who watches the operation, and again when that has changed.

        It is called on the loop, a second or so after the change, and must be quick.
        """
        return self._presences.listening(operation_id, on_change)

    async def run(self) -> None:
        """Keep Redis in line for ever. Ends by cancellation or a bug only."""
        waits, lost = backoff_delays(), False
        while True:
            await self._due()
            try:
                if self._keep_in_s() <= 0:
                    await self._keep()
                await self._presences.look()
            except Unavailable as error:
                self._renew_at, self._whole = 0.0, True
                self._presences.look_at_all()
                if not lost:
                    log.warning("Sockets are not counted. %s", error)
                lost = True
                await asyncio.sleep(next(waits))
                continue
            if lost:
                log.info("Sockets are counted again")
                waits, lost = backoff_delays(), False

    async def close(self) -> None:
        """Give everything back, once `run` has ended. What Redis does not take in time ceases to count by itself."""
        if self._number == 0:
            return  # Redis has never heard of this process
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._tell(self._stale | self._counts.keys(), [], leaving=True)
        except (Unavailable, TimeoutError):
            log.info("Redis counts the sockets of this server for another %g s", self._life_s)

    @asynccontextmanager
    async def _taken(self, *claims: _Limit) -> AsyncIterator[None]:
        seat = _Reservation(claims)
        self._wanted.append(seat)
        self._news.set()
        try:
            refusal = await self._answer(seat)
            if refusal is not None:
                raise refusal
            yield
        finally:
            self._leave(seat)

    async def _answer(self, seat: _Reservation) -> SemantikError | None:
        try:
            async with asyncio.timeout(TAKE_S):
                return await seat.answer
        except TimeoutError:
            return Unavailable(f"Redis did not count this within {TAKE_S:g} s: try again later.")

    def _leave(self, seat: _Reservation) -> None:
        seat.left = True
        if seat.counted:
            self._counts.subtract(seat.places)
            self._correct(seat.places)

    def _correct(self, places: Iterable[_CounterKey]) -> None:
        """Have Redis told how many there are of these."""
        for place in places:
            if self._counts[place] == 0:
                del self._counts[place]
            self._stale.add(place)
        self._news.set()

    async def _due(self) -> None:
        """Wait until there is something to tell Redis, or to ask it."""
        while (wait_s := min(self._keep_in_s(), self._presences.look_in_s())) > 0:
            self._news.clear()
            with contextlib.suppress(TimeoutError):  # it is time
                async with asyncio.timeout(None if wait_s == float("inf") else wait_s):
                    await self._news.wait()

    def _keep_in_s(self) -> float:
        if self._wanted or self._stale:
            return 0.0
        return self._renew_at - self._now() if self._counts else float("inf")

    async def _keep(self) -> None:
        """Tell Redis what has changed here, and ask it for the places that are wanted."""
        now = self._now()
        whole = self._whole or not self._counts or now >= self._rewrite_at
        stale = self._stale | self._counts.keys() if whole else self._stale
        wanted = [seat for seat in self._wanted[:BATCH] if not seat.left]
        self._stale = set()
        del self._wanted[:BATCH]
        try:
            answers = await self._tell(stale, wanted, whole=whole)
        except BaseException as error:
            # Redis may have done it even so, or may do it yet.
            self._stale |= stale.union(*(seat.places for seat in wanted))
            away = error if isinstance(error, Unavailable) else Unavailable("The server is shutting down.")
            for seat in wanted:
                seat.settle(away)
            raise
        if answers is None:
            self._whole, self._renew_at = True, now
            self._stale |= stale
            self._wanted[:0] = wanted
            return
        for seat, (full, total) in zip(wanted, answers, strict=True):
            self._settle(seat, full, total)
        self._whole, self._renew_at = False, now + self._life_s / 3
        if whole:
            self._rewrite_at = now + REWRITE_S

    async def _tell(
        self,
        stale: Iterable[_CounterKey],
        wanted: Iterable[_Reservation],
        *,
        whole: bool = True,
        leaving: bool = False,
    ) -> list[tuple[int, int]] | None:
        self._number += 1
        told = {"process": self._process, "number": self._number, "whole": whole, "leaving": leaving}
        counts = [[*place, 0 if leaving else self._counts[place]] for place in stale]
        takes = [[[*claim.place, claim.most] for claim in seat.claims] for seat in wanted]
        life_ms = round(self._life_s * 1000)
        return await self._link.keep_seats({**told, "life_ms": life_ms, "counts": counts, "takes": takes})

    def _settle(self, seat: _Reservation, full: int, total: int) -> None:
        if full:
            claim = seat.claims[full - 1]
            seat.settle(Busy(claim.refusal.format(n=total, most=claim.most)))
        elif seat.left:  # while Redis was asked
            self._correct(seat.places)
        else:
            seat.counted = True
            self._counts.update(seat.places)
            seat.settle(None)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
