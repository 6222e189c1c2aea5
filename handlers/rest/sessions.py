"""`/api/v2/auth/sessions…` and `/api/v2/auth/password`: where a user is signed in, and how all of it is ended."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import boolean, boolean_parameter, text
from handlers.rest.auth import SignInHandler
from handlers.serializers import timestamp_json
from semantik.auth.principal import ACCOUNT
from semantik.core.models import Session

_PASSWORD = vol.Schema(
    {
        vol.Required("current_password"): text(),
        vol.Required("new_password"): text(),
        vol.Optional("keep_api_keys", default=False): boolean(),
    }
)
_END_ALL = vol.Schema(
    {
        vol.Optional("keep_current", default="false"): boolean_parameter(),
        vol.Optional("api_keys", default="false"): boolean_parameter(),
    }
)


def _session_json(session: Session, current_id: str) -> dict[str, Any]:
    return {
        "id": session.id,
        "current": session.id == current_id,
        "address": session.place.address,
        "client": session.place.client,
        "created_at": timestamp_json(session.created_at),
        "expires_at": timestamp_json(session.expires_at),
        "last_used_at": timestamp_json(session.last_used_at),
    }


class SessionsHandler(SignInHandler):
    scope = ACCOUNT
    audit: ClassVar = {"DELETE": "session.end_all"}

    async def get(self) -> None:
        sessions = await self.services.sessions.of_user(self.principal.user)
        items = [_session_json(each, self.principal.credential_id) for each in sessions]
        self.reply({"items": items, "next_cursor": None})

    async def delete(self) -> None:
        options = self.query(_END_ALL)
        self.note_audit({name: value for name, value in options.items() if value})
        keep = self.principal.credential_id if options["keep_current"] else ""
        await self.services.sessions.end_all(self.principal.user, keep, options["api_keys"])
        if not keep:
            self.clear_session_cookie()
        self.set_status(HTTPStatus.NO_CONTENT)


class SessionHandler(RestHandler):
    scope = ACCOUNT
    audit: ClassVar = {"DELETE": "session.end"}

    async def delete(self, session_id: str) -> None:
        await self.services.sessions.end(self.principal.user, session_id)
        self.set_status(HTTPStatus.NO_CONTENT)


class PasswordHandler(SignInHandler):
    """Answers with the tokens and the cookie of a new session: all others have ended."""

    scope = ACCOUNT
    audit: ClassVar = {"POST": "user.change_password"}

    async def post(self) -> None:
        body = self.body(_PASSWORD)
        async with self.confirming():
            signed_in = await self.services.sessions.change_password(
                self.principal, body["current_password"], body["new_password"], body["keep_api_keys"]
            )
        self.reply_signed_in(signed_in)
