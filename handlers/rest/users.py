"""`/api/v2/users…`: the accounts of all users, for administrators."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import boolean, optional, roots, text
from handlers.pagination import PAGE, page_json
from handlers.serializers import timestamp_json, user_json
from semantik.core.models import User
from semantik.services.users import UserChange

_LIST = vol.Schema(PAGE)
_CREATE = vol.Schema(
    {
        vol.Required("username"): text(1, 200),
        vol.Required("password"): text(),
        vol.Optional("email"): optional(text(1, 200)),
        vol.Optional("is_admin", default=False): boolean(),
    }
)
_CHANGE = vol.Schema(
    {
        vol.Optional("email"): optional(text(1, 200)),
        vol.Optional("is_admin"): boolean(),
        vol.Optional("disabled"): boolean(),
        vol.Optional("password"): text(),
        vol.Optional("roots"): roots(),
        vol.Optional("reset_second_factor"): boolean(),
    }
)
_SHOWN = ("is_admin", "disabled")  # the new values that the audit trail has
_DELETE = vol.Schema({vol.Optional("transfer_to"): text(1, 200)})


def _account_json(user: User) -> dict[str, Any]:
    """A user as an administrator sees one."""
    return {
        **user_json(user),
        "disabled": user.disabled,
        "created_at": timestamp_json(user.created_at),
        "roots": list(user.roots),
    }


class UsersHandler(RestHandler):
    scope = "admin"
    audit: ClassVar = {"POST": "user.create"}

    async def get(self) -> None:
        query = self.query(_LIST)
        page = await self.services.users.all(self.principal, query.get("cursor"), query["limit"])
        self.reply(page_json(page, _account_json))

    async def post(self) -> None:
        body = self.body(_CREATE)
        user = await self.services.users.create(
            self.principal, body["username"], body["password"], body.get("email"), body["is_admin"]
        )
        self.note_audit({"username": user.username, "is_admin": user.is_admin}, target=f"users/{user.id}")
        self.reply(_account_json(user), HTTPStatus.CREATED)


class UserHandler(RestHandler):
    scope = "admin"
    audit: ClassVar = {"PATCH": "user.change", "DELETE": "user.delete"}

    async def get(self, user_id: str) -> None:
        self.reply(_account_json(await self.services.users.get(self.principal, user_id)))

    async def patch(self, user_id: str) -> None:
        body = self.body(_CHANGE)
        if "email" in body:
            body["email"] = body["email"] or ""
        self.note_audit(
            {"fields": " ".join(sorted(body)), **{name: body[name] for name in _SHOWN if name in body}}
        )
        user = await self.services.users.change(self.principal, user_id, UserChange(**body))
        self.note_audit({"username": user.username})
        self.reply(_account_json(user))

    async def delete(self, user_id: str) -> None:
        transfer_to = self.query(_DELETE).get("transfer_to")
        self.note_audit({"transfer_to": transfer_to} if transfer_to else {})
        deleted = await self.services.users.delete(self.principal, user_id, transfer_to)
        self.note_audit({"username": deleted.username})
        self.set_status(HTTPStatus.NO_CONTENT)
