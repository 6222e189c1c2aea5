"""The other servers on the same MongoDB, and which of them may see a path that this one does not. Runs on the loop."""

from __future__ import annotations

from semantik.core.document_roots import is_inside
from semantik.core.errors import NotFound
from semantik.core.models import now
from semantik.storage.mongo import Store
from semantik.storage.mongo.instances import Instance

_MOST = 3  # are asked for one request


class NotHere(NotFound):
    """This server does not see the file at `path`; servers with the `label` may, or with "" any."""

    def __init__(self, message: str, path: str, label: str) -> None:
        super().__init__(message)
        self.path = path
        self.label = label


class Peers:
    """`own_id` is that of this server."""

    def __init__(self, store: Store, own_id: str) -> None:
        self._store = store
        self._own_id = own_id

    async def seeing(self, path: str, label: str = "") -> list[Instance]:
        """Those to ask for a path, the likeliest first: alive, with a `peer_url`, and with the label, if one is given.

        One that says which folders it reads is only asked for what lies in them.
        """
        moment = now()
        found = [
            one
            for one in await self._store.instances.all()
            if one.id != self._own_id
            and one.peer_url
            and not one.is_silent(moment)
            and label in ("", one.label)
            and (not one.roots or is_inside(path, one.roots))
        ]
        return sorted(found, key=lambda one: not one.roots)[:_MOST]
