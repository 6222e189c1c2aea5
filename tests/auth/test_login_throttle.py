"""The throttle of sign-ins: what has to wait, what never has to, and who has the next turn."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx
import pytest
from support.api import PASSWORD, new_user
from support.patience import deadline, patience
from support.server import Serving

from semantik.auth.login_attempts import SignInSource
from semantik.auth.login_throttle import LoginThrottle
from semantik.config.sign_in_settings import SignInSettings
from semantik.core.errors import Busy, Unauthorized, Unavailable
from semantik.progress import RedisClient

pytestmark = pytest.mark.gen_test

HOME = SignInSource("192.0.2.1", "the browser at home")
ELSEWHERE = SignInSource("198.51.100.1", "a browser elsewhere")


@dataclass
class Gate:
    """A throttle with a clock of its own; each has accounts and addresses of its own in the Redis that all share."""

    redis: RedisClient
    limits: SignInSettings = SignInSettings()
    time: float = 1_000_000.0
    name: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self.throttle = LoginThrottle(self.redis, lambda: self.limits, lambda: self.time)

    async def tries(self, source: SignInSource, right: bool = False, login: str = "ann") -> int:
        """One sign-in: 0 if it was checked, else the seconds that it has to wait."""
        here = replace(source, address=f"{source.address}-{self.name}")
        try:
            async with self.throttle.attempt(f"{login}-{self.name}", here):
                if not right:
                    raise Unauthorized("wrong")
        except Unauthorized:
            return 0
        except Busy as busy:
            return busy.retry_after_s
        return 0


@asynccontextmanager
async def gate_of(url: str, limits: SignInSettings | None = None) -> AsyncIterator[Gate]:
    client = RedisClient(url)
    try:
        yield Gate(client, limits or SignInSettings())
    finally:
        await client.close()


async def test_after_some_wrong_ones_each_has_to_wait_twice_as_long(redis_url: str) -> None:
    async with gate_of(redis_url) as gate:
        assert [await gate.tries(ELSEWHERE) for _ in range(6)] == [0, 0, 0, 0, 0, 2]
        waits = []
        for _ in range(10):
            gate.time += 10_000
            assert await gate.tries(ELSEWHERE) == 0
            waits.append(await gate.tries(ELSEWHERE))
        assert waits == [4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


async def test_others_and_other_accounts_do_not_wait(redis_url: str) -> None:
    async with gate_of(redis_url) as gate:
        for _ in range(8):
            await gate.tries(ELSEWHERE)
        assert await gate.tries(HOME) == 0
        assert await gate.tries(ELSEWHERE, login="bob") == 0
        assert await gate.tries(ELSEWHERE) > 0


async def test_a_right_one_makes_up_for_the_wrong_ones(redis_url: str) -> None:
    async with gate_of(redis_url) as gate:
        for _ in range(3):
            assert [await gate.tries(ELSEWHERE) for _ in range(4)] == [0] * 4
            assert await gate.tries(ELSEWHERE, right=True) == 0


async def test_many_at_once_gain_nothing(redis_url: str) -> None:
    async with gate_of(redis_url, replace(SignInSettings(), queue=100)) as gate:
        sources = [replace(ELSEWHERE, device=str(number)) for number in range(16)]
        waits = await asyncio.gather(*(gate.tries(source) for source in sources), return_exceptions=True)
        assert sum(wait == 0 for wait in waits) <= 5


async def test_a_browser_that_has_signed_in_before_is_not_slowed_by_others_at_its_address(
    redis_url: str,
) -> None:
    async with gate_of(redis_url) as gate:
        assert await gate.tries(HOME, right=True) == 0
        neighbour = replace(HOME, device="another browser")
        while await gate.tries(neighbour) == 0:
            pass
        for number in range(60):
            await gate.tries(neighbour, login=f"user-{number}")
        assert await gate.tries(neighbour, right=True) > 0
        assert await gate.tries(HOME, right=True) == 0
        assert [await gate.tries(HOME) for _ in range(6)] == [0, 0, 0, 0, 0, 2]  # its own wrong ones count


async def test_an_address_that_tries_many_accounts_has_to_wait(redis_url: str) -> None:
    async with gate_of(redis_url) as gate:
        assert not any([await gate.tries(ELSEWHERE, login=f"user-{number}") for number in range(50)])
        assert await gate.tries(ELSEWHERE, login="one more") == 2
        assert await gate.tries(HOME, login="one more") == 0


async def test_an_account_that_many_addresses_try_leaves_each_new_one_one_attempt(redis_url: str) -> None:
    async with gate_of(redis_url, replace(SignInSettings(), free_per_account=10)) as gate:
        program = replace(HOME, device="")
        assert await gate.tries(program, right=True) == 0
        for number in range(10):
            assert await gate.tries(SignInSource(f"203.0.113.{number}")) == 0
        assert [await gate.tries(ELSEWHERE), await gate.tries(ELSEWHERE)] == [0, 2]
        assert [await gate.tries(program) for _ in range(5)] == [0] * 5
        gate.time += 2
        assert await gate.tries(ELSEWHERE, right=True) == 0


async def test_what_was_not_checked_does_not_count(redis_url: str) -> None:
    async with gate_of(redis_url) as gate:
        for _ in range(20):
            with pytest.raises(RuntimeError):
                async with gate.throttle.attempt(f"ann-{gate.name}", SignInSource(f"here-{gate.name}")):
                    raise RuntimeError("a store is away")


async def test_without_redis_no_password_is_checked() -> None:
    async with gate_of("unix:///nowhere/redis.sock") as gate:
        with pytest.raises(Unavailable):
            await gate.tries(ELSEWHERE, right=True)


async def test_sources_take_turns_and_each_has_few_places(redis_url: str) -> None:
    async with gate_of(redis_url, replace(SignInSettings(), queue=6)) as gate:
        order: list[str] = []
        release = asyncio.Event()

        async def check(name: str) -> None:
            async with gate.throttle.turn(SignInSource(name[0])):
                order.append(name)
                await release.wait()

        async def refused(name: str) -> bool:
            task = tasks[name] = asyncio.create_task(check(name))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return task.done() and isinstance(task.exception(), Busy)

        tasks: dict[str, asyncio.Task[None]] = {}
        begun = [await refused(name) for name in ("x1", "x2", "a1", "a2", "a3", "a4", "b1")]
        assert not any(begun)
        assert await refused("a5")  # four of one source wait at most
        assert not await refused("c1")  # that makes six
        assert not await refused("d1") and isinstance(tasks["a4"].exception(), Busy)
        release.set()
        async with deadline():
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        assert order == ["x1", "x2", "a1", "b1", "c1", "d1", "a2", "a3"]


async def test_a_turn_that_is_not_taken_goes_to_the_next(redis_url: str) -> None:
    async with gate_of(redis_url, replace(SignInSettings(), queue_s=0.1)) as gate:
        async with gate.throttle.turn(HOME), gate.throttle.turn(HOME):
            with pytest.raises(Busy):
                async with gate.throttle.turn(ELSEWHERE):
                    pass
            waiting = asyncio.create_task(gate.throttle.turn(ELSEWHERE).__aenter__())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        async with deadline(), gate.throttle.turn(HOME), gate.throttle.turn(ELSEWHERE):
            pass


async def test_a_stranger_cannot_lock_a_browser_out(start: Callable[..., Serving]) -> None:
    serving = start("--auth-registration", "open")
    user = await new_user(serving)
    name = (await user.call("GET", "auth/me"))["username"]
    path, right = "/api/v2/auth/login", {"username": name, "password": PASSWORD}
    async with httpx.AsyncClient(base_url=serving.url, timeout=patience()) as browser:
        assert (await browser.post(path, json=right)).status_code == 200
        assert browser.cookies["semantik_device"]
        async with httpx.AsyncClient(base_url=serving.url, timeout=patience()) as stranger:
            wrong = [await stranger.post(path, json=right | {"password": "guess"}) for _ in range(6)]
            assert [answer.status_code for answer in wrong] == [401] * 5 + [429]
            assert int(wrong[-1].headers["Retry-After"]) in (1, 2)
            assert "too many wrong sign-ins" in wrong[-1].json()["detail"]
        assert (await browser.post(path, json=right)).status_code == 200
