"""How often a password may be tried, and how many are checked at once. Runs on the loop.

Nobody can lock a user out: what others do wrong slows down neither the browsers in which the user has signed in before,
nor, as long as it comes from elsewhere, the addresses. Sessions and API keys are never affected.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from semantik.auth.login_attempts import Attempt, LoginAttempts, SignInSource
from semantik.config.sign_in_settings import SignInSettings
from semantik.core.errors import Busy, Forbidden, Unauthorized, Unavailable
from semantik.progress import RedisClient

_AT_ONCE = 2  # as many as `passwords.py` computes at the same time
_PER_SOURCE = 4
_BUSY = "Too many passwords are being checked at the moment: try again in a few seconds."
_BUSY_S = 5


class LoginThrottle:
    """`limits()` are the current settings, `now()` is the time in seconds, the same in all servers on one Redis."""

    def __init__(
        self,
        redis: RedisClient,
        limits: Callable[[], SignInSettings],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._attempts = LoginAttempts(redis, now)
        self._limits = limits
        self._turns = _Turns(limits)

    @asynccontextmanager
    async def attempt(self, login: str, source: SignInSource) -> AsyncIterator[None]:
        """Inside, check the password of `login`. Unauthorized or Forbidden that leaves it was a wrong one.

        Raises Busy when this login or this source had too many wrong ones, or too many wait to be checked; and
        Unavailable while Redis is away, since nothing would count the wrong ones.
        """
        attempt = await self._begin(login, source)
        try:
            async with self._turns.turn(source):
                yield
        except (Unauthorized, Forbidden):
            raise
        except BaseException:
            await self._end(login, source, attempt, succeeded=False)
            raise
        await self._end(login, source, attempt, succeeded=True)

    @asynccontextmanager
    async def turn(self, source: SignInSource) -> AsyncIterator[None]:
        """Inside, hash a password that is not compared with one. Raises Busy."""
        async with self._turns.turn(source):
            yield

    async def _begin(self, login: str, source: SignInSource) -> Attempt:
        attempt = await self._attempts.begin(login, source, self._limits())
        if attempt.wait_s > 0:
            seconds = math.ceil(attempt.wait_s)
            raise Busy(f"There were too many wrong sign-ins: try again in {seconds} s.", seconds)
        return attempt

    async def _end(self, login: str, source: SignInSource, attempt: Attempt, *, succeeded: bool) -> None:
        with suppress(Unavailable):  # it is forgotten by itself
            await self._attempts.end(login, source, attempt, succeeded=succeeded)


class _Turns:
    """Bounded and fair: sources take turns, so that one that sends many does not delay the others."""

    def __init__(self, limits: Callable[[], SignInSettings]) -> None:
        self._limits = limits
        self._running = 0
        self._waiting: dict[SignInSource, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, source: SignInSource) -> AsyncIterator[None]:
        if self._running >= _AT_ONCE:
            await self._wait(source)
        else:
            self._running += 1
        try:
            yield
        finally:
            self._hand_over()

    async def _wait(self, source: SignInSource) -> None:
        limits = self._limits()
        own = self._waiting.get(source, deque())
        if len(own) >= _PER_SOURCE or not self._has_room(len(own), limits.queue):
            raise Busy(_BUSY, _BUSY_S)
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(source, deque()).append(mine)
        try:
            async with asyncio.timeout(limits.queue_s):
                await mine
        except TimeoutError as error:
            self._leave(source, mine)
            raise Busy(_BUSY, _BUSY_S) from error
        except BaseException:
            self._leave(source, mine)
            raise

    def _has_room(self, own: int, queue: int) -> bool:
        """Whether one more may wait; if need be, the last one of the source that has most gives way."""
        if sum(len(each) for each in self._waiting.values()) < queue:
            return True
        longest = max(self._waiting.values(), key=len)
        if len(longest) <= own + 1:
            return False
        longest.pop().set_exception(Busy(_BUSY, _BUSY_S))
        return True

    def _leave(self, source: SignInSource, mine: asyncio.Future[None]) -> None:
        """Wait no longer; if the turn came just now, the next one has it."""
        if mine.done() and not mine.cancelled() and mine.exception() is None:
            self._hand_over()
            return
        own = self._waiting.get(source)
        if own is not None:
            with suppress(ValueError):
                own.remove(mine)
            if not own:
                del self._waiting[source]

    def _hand_over(self) -> None:
        """Give the turn to the source that has waited longest for one."""
        while self._waiting:
            source, own = next(iter(self._waiting.items()))
            del self._waiting[source]
            first = own.popleft()
            if own:
                self._waiting[source] = own  # at the end
            if not first.done():
                first.set_result(None)
                return
        self._running -= 1
