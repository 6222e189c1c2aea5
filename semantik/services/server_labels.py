"""The labels of servers that share a MongoDB: a source can ask for one, where not every server sees it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from semantik.core.document_roots import is_inside
from semantik.core.errors import Conflict, Invalid
from semantik.core.models import Source, now
from semantik.core.upload_paths import is_upload
from semantik.storage.mongo import Store


class ServerLabels:
    """`own` is the label of this server, or ""."""

    def __init__(self, store: Store, own: str) -> None:
        self._store = store
        self._own = own

    async def check(self, label: str) -> None:
        """Raises Invalid for a label that no running server has; "" is any server."""
        if label in ("", self._own):
            return
        moment = now()
        alive = [one for one in await self._store.instances.all() if not one.is_silent(moment)]
        known = sorted({one.label for one in alive if one.label})
        if label not in known:
            raise Invalid(
                f"server: no running server has the label {label!r}; "
                + (f"the labels are: {', '.join(known)}." if known else "none has a label (setting label).")
            )

    async def folder_elsewhere(self, label: str, path: str) -> str | None:
        """The path of a folder that servers with another label see; None when this one has to look at it itself.

        Whether the folder exists there, and may be read, only these servers can tell: until then the operation waits.
        Raises Invalid.
        """
        await self.check(label)
        if label in ("", self._own):
            return None
        if "\0" in path or not Path(path).is_absolute():
            raise Invalid(f"{path!r} is not an absolute path: begin it with a slash.")
        return "/" + os.path.normpath(path).lstrip("/")

    async def where_else(self, source: Source, own_roots: Sequence[str]) -> str:
        """A sentence on the servers that may see a source's files, for one that does not; "" if none is known.

        `own_roots` are the folders below which this server reads them.
        """
        if source.server not in ("", self._own):
            return f" Servers with the label {source.server} see it: ask one of them."
        if not source.is_folder or is_upload(source.path) or is_inside(source.path, own_roots):
            return ""
        moment = now()
        alive = [one for one in await self._store.instances.all() if not one.is_silent(moment)]
        others = [one for one in alive if is_inside(source.path, one.roots)]
        labels = sorted({one.label for one in others if one.label})
        if labels:
            return f" A server with the label {' or '.join(labels)} may see it: ask that."
        return " Another server may see it: ask that." if others else ""


def require_same_server(sources: Iterable[Source]) -> None:
    """Raises Conflict when the sources of one operation are to be read by different servers."""
    labels = sorted({source.server for source in sources if source.server})
    if len(labels) > 1:
        raise Conflict(
            f"The sources of this collection ask for different servers ({', '.join(labels)}), and one operation "
            "runs on one: scan each source by itself."
        )
