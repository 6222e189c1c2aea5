"""The second factor: time-based one-time passwords (TOTP, RFC 6238) and recovery codes. Runs on the loop.

Each code is taken once. A recovery code is taken in place of a code, and needs no encryption key: it works where the
key of the secrets is lost. Passwords are verified by the callers.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import pyotp

from semantik.auth.sealing import Sealer
from semantik.core.errors import Conflict, Invalid, NotFound, SecondFactorRequired, Unauthorized
from semantik.core.models import SecondFactor, User, now
from semantik.storage.mongo import Store

_ISSUER = "Semantik"
_STEP_S = 30
_DRIFT_STEPS = 1  # before and after now, for clocks that differ
_CODES = 10
_GROUPS, _GROUP = 4, 4  # 16 letters and digits of 5 bits
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # without what is read as something else
_WRONG_CODE = "The code is wrong, or was used already; wait for the next one."


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator program needs: the secret in base32, the same as an `otpauth://` URI, and its QR code.

    `qr_svg` is an `<svg>` element without a size of its own, dark modules on a light ground.
    """

    secret: str
    uri: str
    qr_svg: str


@dataclass(frozen=True)
class SecondFactorState:
    """Whether codes are asked for, and how many recovery codes are left."""

    enabled: bool
    recovery_codes_left: int


class SecondFactorService:
    """Sets up, checks and removes second factors. `clock` returns Unix time in seconds."""

    def __init__(self, store: Store, sealer: Sealer, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock

    async def state(self, user: User) -> SecondFactorState:
        factor = await self._confirmed(user)
        return SecondFactorState(factor is not None, len(factor.recovery_hashes) if factor else 0)

    async def enrol(self, user: User) -> Enrolment:
        """Make a secret, which counts once it is confirmed. Raises Conflict when there is a second factor."""
        secret = pyotp.random_base32()
        try:
            await self._store.second_factors.replace_unconfirmed(
                SecondFactor(user.id, self._sealer.seal(secret), now())
            )
        except Conflict as error:
            raise Conflict("There is a second factor already; remove it first.") from error
        uri = pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=_ISSUER)
        return Enrolment(secret, uri, await asyncio.to_thread(_qr_svg, uri))

    async def confirm(self, user: User, code: str) -> list[str]:
        """Ask for codes from now on; returns the recovery codes. Raises Conflict, or Invalid for a wrong code."""
        factor = await self._store.second_factors.get(user.id)
        if factor is None or factor.confirmed_at is not None:
            raise Conflict("No second factor is being set up; begin with POST /api/v2/auth/second-factor.")
        step = self._step_of(factor, code)
        if step is None:
            raise Invalid("The code is wrong; check the clock of the device that shows it.")
        codes = [_recovery_code() for _ in range(_CODES)]
        hashes = [_digest(each) for each in codes]
        if not await self._store.second_factors.confirm(factor, now(), step, hashes):
            raise Conflict("The second factor was set up again meanwhile; confirm the last one.")
        return codes

    async def require(self, user: User, code: str | None) -> None:
        """Check the code, or recovery code, of a user who signs in; nothing is asked of one without second factor.

        Raises SecondFactorRequired when it is missing, Unauthorized when it is wrong.
        """
        factor = await self._confirmed(user)
        if factor is None:
            return
        if not code:
            raise SecondFactorRequired("This account has a second factor: send its code as well.")
        if not await self._take(factor, code):
            raise Unauthorized(_WRONG_CODE)

    async def remove(self, user: User) -> None:
        """Raises NotFound when there is none."""
        if not await self._store.second_factors.remove(user.id):
            raise NotFound("There is no second factor.")

    async def _confirmed(self, user: User) -> SecondFactor | None:
        factor = await self._store.second_factors.get(user.id)
        return factor if factor is not None and factor.confirmed_at is not None else None

    async def _take(self, factor: SecondFactor, code: str) -> bool:
        digest = _digest(code)
        for each in factor.recovery_hashes:
            if hmac.compare_digest(each, digest):
                return await self._store.second_factors.take_recovery_code(factor, digest)
        step = self._step_of(factor, code)
        return step is not None and await self._store.second_factors.take_step(factor, step)

    def _step_of(self, factor: SecondFactor, code: str) -> int | None:
        """The 30-second step around now whose code this is, later than the last one that was used."""
        plain = "".join(code.split())
        if not (plain.isascii() and plain.isdigit()):
            return None
        totp = pyotp.TOTP(self._sealer.unseal(factor.sealed_secret))
        middle = int(self._clock()) // _STEP_S
        steps = range(middle - _DRIFT_STEPS, middle + _DRIFT_STEPS + 1)
        matching = [step for step in steps if hmac.compare_digest(totp.generate_otp(step), plain)]
        return next((step for step in matching if step > factor.last_step), None)


def _recovery_code() -> str:
    groups = ["".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS)]
    return "-".join(groups)


def _qr_svg(text: str) -> str:
    import segno  # needed this once

    code = segno.make_qr(text, error="m")
    return str(code.svg_inline(omitsize=True, dark="#000", light="#fff"))


def _digest(code: str) -> str:
    plain = "".join(each for each in code.lower() if each.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
