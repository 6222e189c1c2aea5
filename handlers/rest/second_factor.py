"""`/api/v2/auth/second-factor…`: a user sets up, confirms and removes the second factor.

Setting up and removing take the password, so that a stolen session can do neither.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import text
from handlers.rest.auth import SignInHandler
from semantik.auth.principal import ACCOUNT

_PASSWORD = vol.Schema({vol.Required("password"): text()})
_CONFIRM = vol.Schema({vol.Required("code"): text(1, 100)})


class SecondFactorHandler(SignInHandler):
    scope = ACCOUNT
    audit: ClassVar = {"POST": "second_factor.set_up", "DELETE": "second_factor.remove"}

    async def get(self) -> None:
        state = await self.services.second_factors.state(self.principal.user)
        self.reply({"enabled": state.enabled, "recovery_codes_left": state.recovery_codes_left})

    async def post(self) -> None:
        password = self.body(_PASSWORD)["password"]
        async with self.confirming():
            user = await self.services.sessions.accounts.confirm_password(self.principal.user.id, password)
        made = await self.services.second_factors.enrol(user)
        self.reply(
            {"secret": made.secret, "otpauth_uri": made.uri, "qr_svg": made.qr_svg}, HTTPStatus.CREATED
        )

    async def delete(self) -> None:
        password = self.body(_PASSWORD)["password"]
        async with self.confirming():
            user = await self.services.sessions.accounts.confirm_password(self.principal.user.id, password)
        await self.services.second_factors.remove(user)
        self.set_status(HTTPStatus.NO_CONTENT)


class ConfirmSecondFactorHandler(RestHandler):
    scope = ACCOUNT
    audit: ClassVar = {"POST": "second_factor.confirm"}

    async def post(self) -> None:
        code = self.body(_CONFIRM)["code"]
        codes = await self.services.second_factors.confirm(self.principal.user, code)
        self.reply({"recovery_codes": codes})
