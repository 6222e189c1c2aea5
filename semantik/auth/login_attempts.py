"""The wrong sign-ins that Redis remembers: their keys, and the two scripts that count them. Runs on the loop.

A lane counts wrong sign-ins: once as many as are free have come, the next one must wait, each time twice as long.
An attempt is counted when it begins, so that many at once gain nothing, and taken back when it succeeds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from semantik.config.sign_in_settings import SignInSettings
from semantik.progress import RedisClient

_KNOWN_S = 180 * 86_400  # how long a device or an address counts as one of the account's own

# KEYS: the lanes of (account, device), (account, address), (address), (account);
#       what exists if the device, and if the address, has signed in to the account before.
# ARGV: now_ms, free, free of the address, free of the account, first_wait_ms, max_wait_ms, forget_ms; 1 if there is a
# device at all.
# Returns the milliseconds to wait (0: the attempt may be made, and is counted), and 1 if the device is known.
_BEGIN = """
local now = tonumber(ARGV[1])
local first_ms, max_ms, forget_ms = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local function wrong(key)
  return tonumber(redis.call('HGET', key, 'wrong') or '0')
end
local lanes
local known = ARGV[8] == '1' and redis.call('EXISTS', KEYS[5]) or 0
if known == 1 then
  lanes = {{KEYS[1], tonumber(ARGV[2])}}
else
  local free = tonumber(ARGV[2])
  if wrong(KEYS[4]) >= tonumber(ARGV[4]) and redis.call('EXISTS', KEYS[6]) == 0 then
    free = 1
  end
  lanes = {{KEYS[2], free}, {KEYS[3], tonumber(ARGV[3])}, {KEYS[4], math.huge}}
end
local wait = 0
for _, lane in ipairs(lanes) do
  wait = math.max(wait, tonumber(redis.call('HGET', lane[1], 'next') or '0') - now)
end
if wait > 0 then
  return {math.ceil(wait), known}
end
for _, lane in ipairs(lanes) do
  local count = redis.call('HINCRBY', lane[1], 'wrong', 1)
  if count >= lane[2] then
    local delay = math.min(first_ms * 2 ^ math.min(count - lane[2], 30), max_ms)
    redis.call('HSET', lane[1], 'next', string.format('%.0f', now + delay))
  end
  redis.call('PEXPIRE', lane[1], forget_ms)
end
return {0, known}
"""

# KEYS as above. ARGV: 1 if the sign-in succeeded, 0 if it was not decided; 1 if the device was known; and for how many
# milliseconds device and address are known from now on; 1 if there is a device at all.
_END = """
if ARGV[1] == '1' then
  redis.call('DEL', KEYS[1], KEYS[2])
  if ARGV[4] == '1' then
    redis.call('SET', KEYS[5], 1, 'PX', ARGV[3])
  end
  redis.call('SET', KEYS[6], 1, 'PX', ARGV[3])
end
local counted = ARGV[2] == '1' and {KEYS[1]} or {KEYS[2], KEYS[3], KEYS[4]}
for _, key in ipairs(counted) do
  if redis.call('EXISTS', key) == 1 then
    redis.call('HINCRBY', key, 'wrong', -1)
    redis.call('HDEL', key, 'next')
  end
end
"""


@dataclass(frozen=True)
class SignInSource:
    """Where a sign-in comes from: an address, and the secret of a browser that has signed in before, if it has one."""

    address: str
    device: str = ""


@dataclass(frozen=True)
class Attempt:
    """How many seconds an attempt must wait (0: it may be made), and whether its device is known."""

    wait_s: float
    known_device: bool


class LoginAttempts:
    """Every method raises Unavailable when Redis is away."""

    def __init__(self, redis: RedisClient, now: Callable[[], float]) -> None:
        self._redis = redis
        self._now = now
        self._begin = redis.script(_BEGIN)
        self._end = redis.script(_END)

    async def begin(self, login: str, source: SignInSource, limits: SignInSettings) -> Attempt:
        """Count an attempt, unless it must wait."""
        arguments = [
            round(self._now() * 1000),
            limits.free_attempts,
            limits.free_per_address,
            limits.free_per_account,
            *(round(1000 * each) for each in (limits.first_wait_s, limits.max_wait_s, limits.forget_s)),
            int(bool(source.device)),
        ]
        wait_ms, known = await self._redis.execute(self._begin(keys=_keys(login, source), args=arguments))
        return Attempt(int(wait_ms) / 1000, bool(known))

    async def end(self, login: str, source: SignInSource, attempt: Attempt, *, succeeded: bool) -> None:
        """Take back an attempt whose password was right, or was not checked.

        If it `succeeded`, forget the wrong ones of this account from here, and remember device and address as its own.
        """
        arguments = [int(succeeded), int(attempt.known_device), _KNOWN_S * 1000, int(bool(source.device))]
        await self._redis.execute(self._end(keys=_keys(login, source), args=arguments))


def _keys(login: str, source: SignInSource) -> list[str]:
    account, device = _digest(login.strip().lower()), _digest(source.device)
    return [
        f"sign-in-wrong:{account}:device:{device}",
        f"sign-in-wrong:{account}:address:{source.address}",
        f"sign-in-wrong:address:{source.address}",
        f"sign-in-wrong:{account}",
        f"sign-in-known:{account}:device:{device}",
        f"sign-in-known:{account}:address:{source.address}",
    ]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
