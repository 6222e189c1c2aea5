"""What an operation needs of the server that runs it: a label, its folders, and its model; and whether this one has it.

A folder may lie on a disk that does not answer. So the file system is asked in threads, at most one for each path, and
nobody waits long for them: until an answer has come, it is not known. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.context.context import Dependencies
from semantik.core.document_roots import resolve_source
from semantik.core.errors import Forbidden, Invalid, NotFound
from semantik.core.models import Collection, Operation, Source
from semantik.core.upload_paths import is_upload

_WAIT_S = 0.5  # for one answer; the operations behind it in the queue wait as long
_DEADLINE_S = 5.0  # a path that is asked about for so long cannot be read
_CACHE_S = 2.0


@dataclass(frozen=True)
class Refusal:
    """Why this server cannot run an operation: `sentence` is true once every server with the `label` refuses it.

    `label` is "" if any server may run the operation. With `by_label` this server never may.
    """

    sentence: str
    label: str = ""
    by_label: bool = False


class Unknown(Exception):
    """The file system has not answered yet: ask again in the next round."""


class Requirements:
    """`label()` is that of this server."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._checks = PathChecks()

    async def refusal(self, operation: Operation, label_only: bool = False) -> Refusal | None:
        """Why this server cannot run the operation, or None; `label_only`: by its label. Raises Unknown."""
        sources = await self._sources(operation)
        labels = sorted({source.server for source in sources if source.server})
        label, own = labels[0] if labels else "", self._deps.settings.label
        if any(each != own for each in labels):
            return Refusal(no_such_server(label), label, by_label=True)
        if label_only:
            return None
        who = f"server with the label {label}" if label else "server"
        try:
            collection = await self._deps.store.collections.get_including_deleted(operation.collection_id)
        except NotFound:
            return None  # purged: the operation ends without it
        folders = [source for source in sources if source.is_folder and not is_upload(source.path)]
        for source in folders:
            if not await self._can_read(source, collection):
                one = f"No {who} can read {source.path}."
                several = f"No {who} can read all folders of this collection; {source.path} is one of them."
                return Refusal(one if len(folders) == 1 else several, label)
        model = _model(operation, collection)
        if Path(model).is_absolute() and not await self._checks.ask(model, lambda: Path(model).exists()):
            return Refusal(f"No {who} has the model {model}.", label)
        return None

    async def _sources(self, operation: Operation) -> list[Source]:
        """Those that the operation reads; none where it only removes one, or its source is gone."""
        if operation.type == "remove_source":
            return []
        found = await self._deps.store.collections.sources([operation.collection_id])
        wanted = operation.source_id
        return [one for one in found if (not one.removing if wanted is None else one.id == wanted)]

    async def _can_read(self, source: Source, collection: Collection) -> bool:
        roots = await self._deps.folder_access.roots_of_source(source, collection.owner_id)
        forbidden = self._deps.settings.private_paths
        return await self._checks.ask(
            "\0".join((source.path, *roots)), lambda: _is_readable(source.path, roots, forbidden)
        )


class PathChecks:
    """Questions to the file system, each by a key.

    A no holds for a moment, as what waits is asked for again and again. A yes is followed by the start of an operation,
    so it must be true now.
    """

    def __init__(self) -> None:
        self._refused: dict[str, float] = {}
        self._asked: dict[str, tuple[asyncio.Task[bool], float]] = {}

    async def ask(self, key: str, question: Callable[[], bool]) -> bool:
        """The answer; no after a deadline. Raises Unknown before that."""
        moment = time.monotonic()
        self._refused = {name: at for name, at in self._refused.items() if moment - at < _CACHE_S}
        if key in self._refused:
            return False
        if key not in self._asked:
            self._asked[key] = (asyncio.create_task(asyncio.to_thread(question)), moment)
        task, since = self._asked[key]
        await asyncio.wait({task}, timeout=0 if moment - since > _WAIT_S else _WAIT_S)
        if not task.done():
            if moment - since < _DEADLINE_S:
                raise Unknown
            return False
        del self._asked[key]
        if not task.result():
            self._refused[key] = time.monotonic()
        return task.result()


def no_such_server(label: str) -> str:
    return f"No running server has the label {label}."


def _is_readable(path: str, roots: Sequence[str], forbidden: Sequence[Path]) -> bool:
    try:
        resolve_source(path, roots, forbidden)
    except (Invalid, Forbidden):
        return False
    return True


def _model(operation: Operation, collection: Collection) -> str:
    """The model that the operation embeds with."""
    wish = operation.options.get("embedding_model") if operation.type == "reindex" else None
    generation = collection.staging if operation.type == "reindex" else None
    return str(wish or (generation or collection.current).model)
