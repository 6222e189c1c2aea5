"""Whose documents may come from where: the folders below which each user may have files indexed. Runs on the loop.

An administrator opens folders to everybody: with `documents.roots`, or in the application when that is empty; and to a
user or a group, which then may index these only. Nobody gets more than was opened.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from semantik.auth.principal import Principal
from semantik.config.settings import Settings
from semantik.core.document_roots import is_inside, resolved
from semantik.core.errors import Conflict, Invalid
from semantik.core.models import Source, User
from semantik.core.upload_paths import is_upload
from semantik.storage.mongo import Store

log = logging.getLogger(__name__)

_ANYWHERE = ("/",)
_MAX_ROOTS = 100


class FolderAccess:
    """`current()` returns the current settings."""

    def __init__(self, store: Store, current: Callable[[], Settings]) -> None:
        self._store = store
        self._current = current

    async def server_roots(self) -> tuple[str, ...]:
        """The folders that are open to everybody; empty when nobody has chosen any."""
        return self._current().documents.roots or await self._store.roots()

    async def warn_if_closed(self) -> None:
        """Log what to do where an installation from before folders had to be opened goes on for administrators only."""
        if not await self.server_roots() and not all(user.is_admin for user in await self._store.users.all()):
            log.warning(
                "No folders are open for indexing (documents.roots is empty, and none were chosen in the "
                "application), so only administrators index, and folders that other users added are not scanned. "
                'Set documents.roots, for example to ["/srv/papers"], or give folders to users or groups.'
            )

    async def choose_roots(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Open these folders to everybody instead of those before; raises as `check_choice`."""
        self.check_choice(paths)
        await self._store.set_roots(paths)
        return tuple(paths)

    def check_choice(self, paths: Sequence[str]) -> None:
        """Raises Invalid for what cannot be a root, and Conflict when the settings decide."""
        if self.fixed_by_settings:
            raise Conflict(
                "The folders are set by documents.roots in the server's settings: change them there."
            )
        check_roots(paths)

    @property
    def fixed_by_settings(self) -> bool:
        return bool(self._current().documents.roots)

    async def roots(self, principal: Principal) -> tuple[str, ...]:
        """The folders below which the principal may have files indexed; empty: none.

        Those of the server, or of them what the user and the user's groups have of their own. An administrator may
        index anything where the server has no roots, except what is never read.
        """
        return await self._roots(principal.user, principal.is_administrator)

    async def _roots(self, user: User, is_administrator: bool) -> tuple[str, ...]:
        server = await self.server_roots()
        if is_administrator:
            return server or _ANYWHERE
        groups = [group for group in await self._store.groups.all() if user.id in group.members]
        own = tuple(dict.fromkeys((*user.roots, *(root for group in groups for root in group.roots))))
        if not own or not server:
            return own or server
        return await asyncio.to_thread(_common, own, server)

    async def roots_of_source(self, source: Source, owner_id: str) -> tuple[str, ...]:
        """Where the files of a source must lie: below the roots of who added it, or else of the collection's owner.

        Uploads lie nowhere else than in their source.
        """
        if is_upload(source.path):
            return (source.path,)
        return await self.roots_of(source.user_id, owner_id)

    async def roots_of(self, *user_ids: str) -> tuple[str, ...]:
        """As `roots`, for the first of these users that exists, whatever the credential was."""
        for user_id in user_ids:
            user = await self._store.users.get(user_id) if user_id else None
            if user is not None:
                return await self._roots(user, user.is_admin)
        return ()


def check_roots(paths: Sequence[str]) -> None:
    """Raises Invalid unless these can be roots: absolute paths, of folders that need not exist now."""
    if len(paths) > _MAX_ROOTS or not all(path.startswith("/") and "\0" not in path for path in paths):
        raise Invalid(f"roots: at most {_MAX_ROOTS} absolute paths of folders.")


def _common(own: Sequence[str], server: Sequence[str]) -> tuple[str, ...]:
    """What lies below a root of both lists, with symlinks resolved."""
    own, server = resolved(own), resolved(server)
    inner = [one for one in own if is_inside(one, server)]
    return tuple(dict.fromkeys((*inner, *(one for one in server if is_inside(one, own)))))
