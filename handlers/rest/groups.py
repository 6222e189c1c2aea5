"""`/api/v2/groups…`: groups of users. Administrators change them; everybody sees those that they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import roots, text
from handlers.serializers import timestamp_json
from semantik.core.models import Group

_ROOTS = roots()
_CREATE = vol.Schema({vol.Required("name"): text(1, 200), vol.Optional("roots", default=list): _ROOTS})
_CHANGE = vol.Schema({vol.Optional("name"): text(1, 200), vol.Optional("roots"): _ROOTS})


def _group_json(group: Group, names: Mapping[str, str]) -> dict[str, Any]:
    """`names` are the user names of the members by id; of those without a name nothing is shown."""
    members = sorted(
        ((names[one], one) for one in group.members if one in names), key=lambda pair: pair[0].lower()
    )
    return {
        "id": group.id,
        "name": group.name,
        "members": [{"id": id, "username": name} for name, id in members],
        "roots": list(group.roots),
        "created_at": timestamp_json(group.created_at),
    }


class _GroupHandler(RestHandler):
    async def reply_group(self, group: Group, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.reply(_group_json(group, await self.services.users.names(group.members)), status)


class GroupsHandler(_GroupHandler):
    audit: ClassVar = {"POST": "group.create"}

    async def get(self) -> None:
        groups = await self.services.groups.visible_to(self.principal)
        names = await self.services.users.names({user_id for group in groups for user_id in group.members})
        self.reply({"items": [_group_json(group, names) for group in groups], "next_cursor": None})

    async def post(self) -> None:
        self.principal.require_administrator("manage groups")
        body = self.body(_CREATE)
        group = await self.services.groups.create(body["name"], body["roots"])
        self.note_audit({"name": group.name, "roots": group.roots}, target=f"groups/{group.id}")
        await self.reply_group(group, HTTPStatus.CREATED)


class GroupHandler(_GroupHandler):
    scope = "admin"
    audit: ClassVar = {"PATCH": "group.change", "DELETE": "group.delete"}

    async def patch(self, group_id: str) -> None:
        body = self.body(_CHANGE)
        self.note_audit(body)
        await self.reply_group(
            await self.services.groups.change(group_id, body.get("name"), body.get("roots"))
        )

    async def delete(self, group_id: str) -> None:
        deleted = await self.services.groups.delete(group_id)
        self.note_audit({"name": deleted.name})
        self.set_status(HTTPStatus.NO_CONTENT)


class MemberHandler(_GroupHandler):
    scope = "admin"
    audit: ClassVar = {"PUT": "group.add_member", "DELETE": "group.remove_member"}

    async def put(self, group_id: str, user_id: str) -> None:
        await self.reply_group(await self.services.groups.add_member(group_id, user_id))

    async def delete(self, group_id: str, user_id: str) -> None:
        await self.services.groups.remove_member(group_id, user_id)
        self.set_status(HTTPStatus.NO_CONTENT)
