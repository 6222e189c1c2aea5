"""One operation in the hands of this server: its records, its place in the protocol, and the parts it works with.

Everything is saved in MongoDB first and told second. Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from pipeline.batch import ModelInfo
from pipeline.pace import Pace
from pipeline.pool import Pool
from pipeline.telling import Teller
from semantik.errors import NotFound
from semantik.progress import Progress
from semantik.records import Collection, Counts, Operation, Source
from semantik.settings import Settings
from semantik.store import Store
from semantik.vectors import Vectors

_RENEW_S = 1.0  # also how soon a wish to cancel is noticed
_MAX_WARNINGS = 200


@dataclass(frozen=True)
class Parts:
    """What every operation works with."""

    live: Callable[[], Settings]
    store: Store
    progress: Progress
    pool: Pool
    vectors: Vectors

    @property
    def settings(self) -> Settings:
        """As they are at the moment."""
        return self.live()


class Run:
    """`operation` and `collection` are the records as last read or written; only their lease's holder writes.

    `current_file` is what is being worked on, and `pace` how fast; both are kept with the lease's renewal.
    """

    def __init__(self, parts: Parts, operation: Operation, collection: Collection, teller: Teller) -> None:
        self.parts = parts
        self.operation = operation
        self.collection = collection
        self.teller = teller
        self.pace = Pace()
        self.current_file = operation.current_file
        self._warnings = list(operation.warnings)

    async def source(self) -> Source:
        """The folder that the operation is about; raises NotFound when it was removed meanwhile."""
        source_id = self.operation.source_id or ""
        source = await self.parts.store.collections.source(self.collection.id, source_id)
        if source is None:
            raise NotFound("The folder of this operation is not a source of its collection any more.")
        return source

    async def save(self, **fields: Any) -> None:
        """Set fields of the operation's record; raises LeaseLost when another server runs it now."""
        self.operation = await self.parts.store.operations.save(self.operation, fields)

    async def stage(self, name: str, **data: Any) -> None:
        """Enter a stage: kept in the record, then told, once however often the operation is taken up again."""
        await self.save(stage=name)
        await self.teller.tell(name, once=f"stage {name}", **data)

    def warn(self, sentence: str) -> None:
        """Note something that a person should know; kept with the next `save_counts`, up to a bound."""
        if sentence in self._warnings:
            return
        if len(self._warnings) < _MAX_WARNINGS:
            self._warnings.append(sentence)
        elif len(self._warnings) == _MAX_WARNINGS:
            self._warnings.append(f"There are more than {_MAX_WARNINGS} warnings; the rest is left out.")

    @property
    def warnings(self) -> list[str]:
        return list(self._warnings)

    async def save_counts(self, counts: Counts) -> None:
        """Keep how far it is: counts, rate and time left."""
        total = counts.total
        await self.save(
            counts=asdict(counts),
            progress_percent=round(100 * counts.processed / total, 1) if total else 0.0,
            warnings=self._warnings,
            last_message=self.teller.last_seq,
            **self._course(),
        )

    async def keep(self) -> None:
        """Renew the lease for ever; returns when somebody asks for the operation's end, raises LeaseLost."""
        while not self.operation.cancel_requested:
            await asyncio.sleep(_RENEW_S)
            lease_s = self.parts.settings.operations.lease_s
            fresh = await self.parts.store.operations.renew(self.operation, lease_s, **self._course())
            # Only what this renewal is about: a save that was answered meanwhile knows the rest better.
            self.operation = replace(
                self.operation, lease=fresh.lease, cancel_requested=fresh.cancel_requested
            )

    def _course(self) -> dict[str, Any]:
        pace = self.pace
        return {
            "current_file": self.current_file,
            "files_per_s": pace.files_per_s,
            "eta_s": pace.eta_s,
        }

    async def know_model(self, model: ModelInfo) -> None:
        """Keep what the collection's model makes of it, before the first vector is stored: how long vectors are, and
        chunks no longer than it reads."""
        collection = self.collection
        fields: dict[str, Any] = {}
        if collection.dimension is None:
            fields["dimension"] = model.dimension
        if collection.chunk_size > model.room:
            fields["chunk_size"] = model.room
            fields["chunk_overlap"] = min(collection.chunk_overlap, model.room // 4)
            self.warn(
                f"chunk_size was {collection.chunk_size}, but {model.name} reads {model.room} tokens: that is used."
            )
        if fields:
            self.collection = await self.parts.store.collections.change(collection.id, fields)

    def advance(self, last_seq: int) -> None:
        """Note that chunks up to `last_seq` may be found now."""
        self.collection = replace(self.collection, last_seq=last_seq)
