"""Groups of users: who is a member, and how administrators change them. Runs on the loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Mapping, Sequence

from semantik.auth.folder_access import check_roots
from semantik.auth.principal import Principal
from semantik.core.errors import Invalid, NotFound
from semantik.core.models import Group, new_id, now
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.auth")

_MAX_NAME = 200
_FRESH_S = 1.0  # older members are read again, in the background
_CACHE_S = 2.0  # a change by another server is noticed after this time at the latest


class GroupService:
    """The members of all groups, cached for two seconds: deciding what a principal may see takes no round trip.

    The methods that change groups take no principal: their callers require an administrator.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fresh_until = self._good_until = 0.0
        self._by_user: Mapping[str, frozenset[str]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._changes = 0

    async def of_users(self, user_ids: Collection[str]) -> dict[str, frozenset[str]]:
        """The ids of each user's groups."""
        while (moment := time.monotonic()) >= self._fresh_until:
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
                self._reading.add_done_callback(_retrieve_error)
            if moment < self._good_until:
                break
            await asyncio.shield(self._reading)
        return {each: self._by_user.get(each, frozenset()) for each in user_ids}

    async def of_user(self, user_id: str) -> frozenset[str]:
        return (await self.of_users([user_id]))[user_id]

    async def visible_to(self, principal: Principal) -> list[Group]:
        """All groups for an administrator, and those that the user belongs to for anybody else, by name."""
        found = await self._store.groups.all()
        return [each for each in found if principal.is_administrator or principal.user.id in each.members]

    async def get(self, group_id: str) -> Group:
        return _existing(await self._store.groups.get(group_id), group_id)

    async def by_name(self, name: str) -> Group:
        group = await self._store.groups.by_name(name)
        if group is None:
            raise NotFound(f"There is no group named {name!r}.")
        return group

    async def create(self, name: str, roots: Sequence[str] = ()) -> Group:
        """Raises Invalid, or Conflict when the name is taken."""
        group = Group(new_id(), _name(name), frozenset(), _roots(roots), now())
        await self._store.groups.add(group)
        return group

    async def change(self, group_id: str, name: str | None, roots: Sequence[str] | None) -> Group:
        """Raises Invalid, NotFound, or Conflict when the name is taken."""
        fields: dict[str, object] = {}
        if name is not None:
            fields["name"] = _name(name)
        if roots is not None:
            fields["roots"] = list(_roots(roots))
        if not fields:
            return await self.get(group_id)
        return self._changed(await self._store.groups.update(group_id, fields), group_id)

    async def delete(self, group_id: str) -> Group:
        """Remove a group, with all that is shared with it; returns what it was. Raises NotFound."""
        group = await self.get(group_id)
        if not await self._store.groups.remove(group_id):
            raise _no_group(group_id)
        self._forget()
        for collection_id in await self._store.shares.shared_with("group", group_id):
            try:
                await self._store.shares.remove(collection_id, "group", group_id)
            except NotFound:
                continue  # it was deleted, too
        return group

    async def add_member(self, group_id: str, user_id: str) -> Group:
        """Raises NotFound for the group or the user."""
        if await self._store.users.get(user_id) is None:
            raise NotFound(f"There is no user {user_id}.")
        return self._changed(await self._store.groups.add_member(group_id, user_id), group_id)

    async def remove_member(self, group_id: str, user_id: str) -> Group:
        """Raises NotFound for the group, and for a user who is no member of it."""
        if user_id not in (await self.get(group_id)).members:
            raise NotFound(f"There is no member {user_id} of this group.")
        return self._changed(await self._store.groups.remove_member(group_id, user_id), group_id)

    async def remove_user(self, user_id: str) -> None:
        """Remove a user, who is being deleted, from all groups."""
        for group in await self._store.groups.all():
            if user_id in group.members:
                self._changed(await self._store.groups.remove_member(group.id, user_id), group.id)

    def _changed(self, group: Group | None, group_id: str) -> Group:
        self._forget()
        return _existing(group, group_id)

    def _forget(self) -> None:
        self._fresh_until = self._good_until = 0.0
        self._changes += 1

    async def _read(self) -> None:
        try:
            changes = self._changes
            groups = await self._store.groups.all()
            members: dict[str, set[str]] = {}
            for group in groups:
                for user_id in group.members:
                    members.setdefault(user_id, set()).add(group.id)
            self._by_user = {user_id: frozenset(ids) for user_id, ids in members.items()}
            if changes == self._changes:  # else a group was changed while they were read
                self._fresh_until = time.monotonic() + _FRESH_S
                self._good_until = time.monotonic() + _CACHE_S
        finally:
            self._reading = None


def _retrieve_error(reading: asyncio.Task[None]) -> None:
    """Whoever waits for it gets the error; when nobody does, the members are good for a while yet, and read again."""
    if not reading.cancelled() and (error := reading.exception()) is not None:
        log.debug("The groups are read again later: %s", error)


def _existing(group: Group | None, group_id: str) -> Group:
    if group is None:
        raise _no_group(group_id)
    return group


def _no_group(group_id: str) -> NotFound:
    return NotFound(f"There is no group {group_id}.")


def _name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        raise Invalid(f"The group's name must have 1 to {_MAX_NAME} printable characters.")
    return name


def _roots(roots: Sequence[str]) -> tuple[str, ...]:
    check_roots(roots)
    return tuple(roots)
