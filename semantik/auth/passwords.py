"""Passwords: their rules, and their argon2 hashes. Runs on the loop; argon2 runs in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from semantik.core.errors import Invalid

_MIN, _MAX = 10, 200
_LOOKED_AT = 72  # characters; more take long, and a password of so many is not guessed
_MIN_SCORE = 2  # of zxcvbn: more than 10^6 guesses
_CONCURRENT_HASHES = 2  # argon2 takes 64 MiB each


def check_password(password: str) -> None:
    """Raises Invalid when the password is too short or too long; `Passwords.check` also knows the common ones."""
    if not _MIN <= len(password) <= _MAX:
        raise Invalid(f"The password must have {_MIN} to {_MAX} characters.")


class Passwords:
    """Hashes passwords and verifies them."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._slots = asyncio.Semaphore(_CONCURRENT_HASHES)

    async def check(self, password: str, *known: str | None) -> None:
        """Raises Invalid for a password that is too short or easy to guess, for who knows the `known` texts, too."""
        check_password(password)
        async with self._slots:
            await asyncio.to_thread(_check_strength, password, [text for text in known if text])

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str, password: str) -> bool:
        async with self._slots:
            try:
                return await asyncio.to_thread(self._hasher.verify, password_hash, password)
            except (VerificationError, InvalidHashError):
                return False


def _check_strength(password: str, known: Sequence[str]) -> None:
    from zxcvbn import zxcvbn  # its lists take half a second to load

    found = zxcvbn(password[:_LOOKED_AT], user_inputs=["semantik", *known])
    if found["score"] < _MIN_SCORE:
        reason = found["feedback"]["warning"].rstrip(".") or "it is a common word or a simple pattern"
        raise Invalid(f"The password is easy to guess: {reason[0].lower()}{reason[1:]}. Choose another one.")
