"""What the provider's groups decide here: membership in groups, and who is an administrator. Runs on the loop."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from contextlib import suppress

from semantik.auth.accounts import AccountService
from semantik.auth.groups import GroupService
from semantik.config.oidc_settings import OidcSettings
from semantik.core.errors import Conflict, NotFound
from semantik.core.models import Group, User

log = logging.getLogger("semantik.auth")


class GroupMapping:
    """Applied at each sign-in. Groups that the settings do not name are left alone."""

    def __init__(self, accounts: AccountService, groups: GroupService) -> None:
        self._accounts = accounts
        self._groups = groups

    async def apply(self, oidc: OidcSettings, user: User, claimed: Collection[str]) -> bool:
        """Make the user what the claimed groups say; returns whether anything has changed."""
        changed = [await self._administrator(oidc, user, claimed)]
        for name, is_member in memberships(oidc.group_map, claimed).items():
            changed.append(await self._member(name, user, is_member))
        return any(changed)

    async def _administrator(self, oidc: OidcSettings, user: User, claimed: Collection[str]) -> bool:
        wanted = oidc.admin_group in claimed
        if not oidc.admin_group or wanted == user.is_admin:
            return False
        try:
            await (self._accounts.promote if wanted else self._accounts.demote)(user.username)
        except Conflict as error:  # the last one
            log.warning("The provider says that %s is no administrator: %s", user.username, error)
            return False
        log.info("%s is %s administrator, as the provider says", user.username, "an" if wanted else "no")
        return True

    async def _member(self, name: str, user: User, wanted: bool) -> bool:
        group = await self._group(name, create=wanted)
        if group is None or wanted == (user.id in group.members):
            return False
        if wanted:
            await self._groups.add_member(group.id, user.id)
        else:
            with suppress(NotFound):  # another sign-in of the same person was first
                await self._groups.remove_member(group.id, user.id)
        log.info("%s %s the group %s", user.username, "is in" if wanted else "has left", name)
        return True

    async def _group(self, name: str, create: bool) -> Group | None:
        try:
            return await self._groups.by_name(name)
        except NotFound:
            if not create:
                return None
        try:
            return await self._groups.create(name)
        except Conflict:  # another sign-in was first
            return await self._groups.by_name(name)


def memberships(group_map: Iterable[str], claimed: Collection[str]) -> dict[str, bool]:
    """Whether the user belongs to each group that the map names; several claims may stand for one group."""
    found: dict[str, bool] = {}
    for entry in group_map:
        value, _, name = (part.strip() for part in entry.partition("="))
        name = name or value
        found[name] = found.get(name, False) or value in claimed
    return found
