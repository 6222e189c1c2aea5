"""Groups of users in MongoDB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semantik.core.errors import Conflict
from semantik.core.models import Group
from semantik.storage.mongo.rows import time_of, to_row
from semantik.storage.mongo.table import Record, Table


class GroupTable:
    """Names are unique, case-insensitive. A row's `members` is an object, so that each changes without the others."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        await self._table.create_index([("name_key", 1)], unique=True)

    async def add(self, group: Group) -> None:
        """Raises Conflict when the name is taken."""
        if await self.by_name(group.name):
            raise _name_taken(group.name)
        row = to_row(group)
        row |= {"members": dict.fromkeys(group.members, 1), "name_key": group.name.lower()}
        try:
            await self._table.insert_one(row)
        except Conflict as error:
            raise _name_taken(group.name) from error

    async def all(self) -> list[Group]:
        """In the order of their names, case-insensitive."""
        return [_group(row) for row in await self._table.find({}, [("name_key", 1)], fast=True)]

    async def get(self, group_id: str) -> Group | None:
        row = await self._table.find_one({"_id": group_id})
        return _group(row) if row else None

    async def by_name(self, name: str) -> Group | None:
        row = await self._table.find_one({"name_key": name.strip().lower()})
        return _group(row) if row else None

    async def update(self, group_id: str, fields: Mapping[str, Any]) -> Group | None:
        """Set `name` and `roots`; None when there is no such group. Raises Conflict when the name is taken."""
        update = dict(fields)
        if "name" in fields:
            other = await self.by_name(fields["name"])
            if other is not None and other.id != group_id:
                raise _name_taken(fields["name"])
            update["name_key"] = fields["name"].lower()
        try:
            row = await self._table.update_one({"_id": group_id}, {"$set": update})
        except Conflict as error:
            raise _name_taken(fields["name"]) from error
        return _group(row) if row else None

    async def add_member(self, group_id: str, user_id: str) -> Group | None:
        """None when there is no such group."""
        row = await self._table.update_one({"_id": group_id}, {"$set": {f"members.{user_id}": 1}})
        return _group(row) if row else None

    async def remove_member(self, group_id: str, user_id: str) -> Group | None:
        """None when there is no such group."""
        row = await self._table.update_one({"_id": group_id}, {"$unset": {f"members.{user_id}": ""}})
        return _group(row) if row else None

    async def remove(self, group_id: str) -> bool:
        return await self._table.delete_many({"_id": group_id}) > 0


def _name_taken(name: str) -> Conflict:
    return Conflict(f"There is a group named {name!r} already; choose another name.")


def _group(row: Record) -> Group:
    return Group(
        row["_id"], row["name"], frozenset(row["members"]), tuple(row["roots"]), time_of(row["created_at"])
    )
