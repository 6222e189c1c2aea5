"""Passwords: their rules, and their argon2 hashes. Runs on the loop; argon2 runs in threads."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from semantik.core.errors import Invalid

_MIN, _MAX = 8, 200
_CONCURRENT_HASHES = 2  # argon2 takes 64 MiB each


def check_password(password: str) -> None:
    """Raises Invalid when the password is too short or too long."""
    if not _MIN <= len(password) <= _MAX:
        raise Invalid(f"The password must have {_MIN} to {_MAX} characters.")


class Passwords:
    """Hashes passwords and verifies them."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._slots = asyncio.Semaphore(_CONCURRENT_HASHES)

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str, password: str) -> bool:
        async with self._slots:
            try:
                return await asyncio.to_thread(self._hasher.verify, password_hash, password)
            except (VerificationError, InvalidHashError):
                return False
