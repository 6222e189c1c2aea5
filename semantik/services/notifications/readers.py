"""For whom something is found or sent while nobody asks: users as principals who may read. Runs on the loop."""

from __future__ import annotations

from collections.abc import Collection as Several

from semantik.auth.groups import GroupService
from semantik.auth.principal import Principal
from semantik.core.models import User
from semantik.storage.mongo import Store


class Readers:
    """A user who is disabled or gone is none."""

    def __init__(self, store: Store, groups: GroupService) -> None:
        self._store = store
        self._groups = groups

    async def of(self, user_ids: Several[str]) -> dict[str, Principal]:
        """By the users' ids, with the groups that they are in now."""
        if not user_ids:
            return {}
        users = [each for each in await self._store.users.get_many(list(user_ids)) if not each.disabled]
        groups = await self._groups.of_users([each.id for each in users])
        return {each.id: _reader(each, groups[each.id]) for each in users}


def _reader(user: User, groups: frozenset[str]) -> Principal:
    return Principal(user, "", None, ("read",), groups)
