"""The rate limits, with a clock of their own and on a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from support.api import new_user, refusal_of
from support.server import Serving

from semantik.app import rate_limiter
from semantik.app.rate_limiter import RateLimiter
from semantik.config.connection_settings import RateLimitSettings
from semantik.core.errors import Busy

LIMITS = RateLimitSettings(search_per_s=2, read_per_s=0, burst_s=5)


@dataclass
class Clock:
    time: float = 100.0

    def __call__(self) -> float:
        return self.time


def _limiter(clock: Clock) -> RateLimiter:
    return RateLimiter(lambda: LIMITS, clock)


def test_a_burst_is_allowed_and_then_the_rate() -> None:
    clock = Clock()
    limiter = _limiter(clock)
    for _ in range(11):  # five seconds' worth, and the one of this moment
        limiter.take("search", "ann")
    with pytest.raises(Busy, match=r"than 2 a second \(rate_limits.search_per_s\): try again in 1 s") as busy:
        limiter.take("search", "ann")
    assert busy.value.retry_after_s == 1
    clock.time += 0.5
    limiter.take("search", "ann")
    with pytest.raises(Busy):
        limiter.take("search", "ann")
    clock.time += 100
    for _ in range(11):
        limiter.take("search", "ann")


def test_users_and_groups_are_counted_apart_and_zero_is_no_limit() -> None:
    limiter = _limiter(Clock())
    for _ in range(11):
        limiter.take("search", "ann")
    limiter.take("search", "bob")
    limiter.take("write", "ann")
    for _ in range(1000):
        limiter.take("read", "ann")


def test_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limiter, "_MAX_KEYS", 10)
    limiter = _limiter(Clock())
    for number in range(1000):
        limiter.take("search", str(number))
        assert len(limiter._due) <= 10


@pytest.mark.gen_test
async def test_too_many_requests_get_429_with_retry_after(start: Callable[..., Serving]) -> None:
    serving = start(
        "--auth-registration", "open", "--rate-limits-write-per-s", "0.5", "--rate-limits-burst-s", "2"
    )
    user = await new_user(serving)
    for number in range(2):
        await user.call("POST", "collections", {"name": f"number {number}"})
    refused = await refusal_of(user, "POST", "collections", {"name": "one more"})
    assert refused.status == 429 and "rate_limits.write_per_s" in str(refused)
    await user.call("GET", "collections")
    other = await new_user(serving)
    await other.call("POST", "collections", {"name": "of another"})
