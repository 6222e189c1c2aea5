"""Checks once a second that whoever follows something of a collection may still read it. Runs on the loop.

Knows no sockets: what follows runs inside `watch`, and gets NotFound there, as for a new request.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NoReturn

from semantik.auth.authorization import access_of
from semantik.auth.groups import GroupService
from semantik.auth.principal import Principal
from semantik.core.errors import NotFound, Unavailable
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.auth")

_CHECK_S = 1.0


@dataclass(eq=False)
class _Watched:
    principal: Principal
    collection_id: str
    task: asyncio.Task[None]
    cancelling: int
    ended: bool = False


class AccessMonitor:
    """`run` checks; `watch` registers the task that follows."""

    def __init__(self, store: Store, groups: GroupService) -> None:
        self._store = store
        self._groups = groups
        self._watched: set[_Watched] = set()

    async def run(self) -> NoReturn:
        """Check for ever; while MongoDB does not answer, nothing ends."""
        while True:
            await asyncio.sleep(_CHECK_S)
            try:
                if self._watched:
                    await self._check()
            except Unavailable as error:
                log.debug("The access to collections is checked again later: %s", error)

    @contextmanager
    def watch(self, principal: Principal, collection_id: str) -> Iterator[None]:
        """Raises NotFound in the current task when the principal may no longer read the collection.

        A collection that is deleted ends nothing: its operations end, and report it.
        """
        task = asyncio.current_task()
        assert task is not None
        watched = _Watched(principal, collection_id, task, task.cancelling())
        self._watched.add(watched)
        try:
            yield
        except asyncio.CancelledError as error:
            # As in asyncio.timeout: a cancellation from elsewhere goes on as one.
            if watched.ended and task.uncancel() <= watched.cancelling:
                raise NotFound(
                    f"There is no collection {collection_id} any more that you may read."
                ) from error
            raise
        finally:
            self._watched.discard(watched)

    async def _check(self) -> None:
        watched = list(self._watched)
        groups = await self._groups.of_users({each.principal.user.id for each in watched})
        collections = await self._store.collections.get_many(sorted({each.collection_id for each in watched}))
        for each in watched:
            collection = collections.get(each.collection_id)
            present = replace(each.principal, groups=groups[each.principal.user.id])
            if collection is None or access_of(present, collection) or each not in self._watched:
                continue
            each.ended = True
            self._watched.discard(each)
            each.task.cancel()
