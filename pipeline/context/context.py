"""One operation in the hands of this server: its records, its place in the protocol, and the parts it works with.

Everything is saved in MongoDB first and told second. Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Unpack

from pipeline.compute.messages import ModelInfo
from pipeline.compute.pool import ComputePool
from pipeline.context.rate import RateEstimator
from pipeline.context.reporter import ProgressReporter
from pipeline.extraction.version import reader_version
from semantik.config.settings import Settings
from semantik.core.errors import NotFound
from semantik.core.models import Collection, Counts, Operation, Source, Stage, StageName, now
from semantik.progress import ProgressService
from semantik.search.index_sync import IndexSync
from semantik.storage.mongo import Store
from semantik.storage.mongo.operation_rows import OperationFields

RENEW_S = 1.0  # also how soon a wish to cancel is noticed
_MAX_WARNINGS = 200


@dataclass(frozen=True)
class Dependencies:
    """What every operation works with."""

    live: Callable[[], Settings]
    store: Store
    progress: ProgressService
    pool: ComputePool
    vectors: IndexSync

    @property
    def settings(self) -> Settings:
        """As they are at the moment."""
        return self.live()


class OperationContext:
    """`operation` and `collection` are the records as last read or written; only their lease's holder writes.

    `generation` is what the operation works on: the one that is searched, or what a REINDEX builds beside it.
    `current_file` is what is being worked on, and `pace` how fast; both are kept with the lease's renewal. Reading and
    embedding take the progress from the first to the second of `span`, in percent.
    """

    def __init__(
        self, parts: Dependencies, operation: Operation, collection: Collection, teller: ProgressReporter
    ) -> None:
        self.deps = parts
        self.operation = operation
        self.collection = collection
        self.generation = collection.current
        self.reporter = teller
        self.span = (0.0, 100.0)
        self.pace = RateEstimator()
        self.current_file = operation.current_file
        self._warnings = list(operation.warnings)
        self._disturbed = False

    @property
    def has_started(self) -> bool:
        """Whether the collection is the operation's; one that is cancelled in the line has never had it."""
        return self.collection.running == self.operation.id

    @property
    def fence(self) -> str:
        """What shows that this server may change the collection."""
        assert self.operation.lease is not None
        return self.operation.lease.token

    async def source(self) -> Source:
        """The folder that the operation is about; raises NotFound when it was removed meanwhile."""
        source_id = self.operation.source_id or ""
        source = await self.deps.store.collections.source(self.collection.id, source_id)
        if source is None:
            raise NotFound("The folder of this operation is not a source of its collection any more.")
        return source

    async def sources(self) -> list[Source]:
        """The folder that the operation is about, or all of its collection but those that are about to go."""
        if self.operation.source_id is not None:
            return [await self.source()]
        return [source for source in await self.sources_of_collection() if not source.removing]

    async def sources_of_collection(self) -> list[Source]:
        return await self.deps.store.collections.sources([self.collection.id])

    async def mark_dirty(self) -> None:
        """Say that documents of the operation's folders are about to change, before the first one does."""
        if self._disturbed:
            return
        own, store = await self.sources(), self.deps.store
        every = await self.sources_of_collection()
        await store.folder_digests.remove(
            [one.id for one in every if any(overlap(one, each) for each in own)]
        )
        changed = await store.collections.mark_dirty(self.collection.id)
        if changed is not None:
            self.refresh(changed)
        self._disturbed = True

    async def save(self, **fields: Unpack[OperationFields]) -> None:
        """Set fields of the operation's record; raises LeaseLost when another server runs it now."""
        self.operation = await self.deps.store.operations.save(self.operation, fields)

    async def stage(self, name: StageName, percent: float | None = None, **data: Any) -> None:
        """Enter a stage: kept in the record, then told, once however often the operation is taken up again.

        `percent` is how far the operation is with it.
        """
        stages = list(self.operation.stages)
        if name not in [stage.name for stage in stages]:
            stages.append(Stage(name, now()))
        fields: dict[str, Any] = {"stage": name, "stages": [asdict(stage) for stage in stages]}
        if percent is not None:
            fields["progress_percent"] = max(percent, self.operation.progress_percent)
            data["progress_percent"] = fields["progress_percent"]
        await self.save(**fields)
        await self.reporter.publish(name, idempotency_key=f"stage {name}", **data)

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
        begin, end = self.span
        done = counts.processed / counts.total if counts.total else 0.0
        await self.save(
            counts=asdict(counts),
            progress_percent=max(self.operation.progress_percent, round(begin + (end - begin) * done, 1)),
            warnings=self._warnings,
            last_message=self.reporter.last_seq,
            **self._progress_fields(),
        )

    async def set_counts(self, counts: Counts) -> None:
        """Keep how the generation's documents stand."""
        self.refresh(await self.deps.store.collections.set_counts(self.generation, counts, self.fence))

    async def renew_lease(self) -> None:
        """Renew the lease for ever; returns when somebody asks for the operation's end, raises LeaseLost."""
        while not self.operation.cancel_requested:
            await asyncio.sleep(RENEW_S)
            lease_s = self.deps.settings.operations.lease_s
            fresh = await self.deps.store.operations.renew_lease(
                self.operation, lease_s, **self._progress_fields()
            )
            # Only what this renewal is about: a save that was answered meanwhile knows the rest better.
            self.operation = replace(
                self.operation, lease=fresh.lease, cancel_requested=fresh.cancel_requested
            )

    def _progress_fields(self) -> dict[str, Any]:
        pace = self.pace
        return {
            "current_file": self.current_file,
            "files_per_s": pace.files_per_s,
            "eta_s": pace.eta_s,
        }

    def settings_used(self, precision: str | None = None) -> dict[str, object]:
        """What the operation runs with, for its record; `precision` is what the model was loaded in."""
        generation = self.generation
        return {
            "embedding_model": generation.model,
            "precision": precision or generation.precision,
            "chunk_size": generation.chunk_size,
            "chunk_overlap": generation.chunk_overlap,
            "missing": self.deps.settings.documents.missing,
            "workers": self.deps.pool.batch_workers,
        }

    async def record_model(self, model: ModelInfo) -> None:
        """Keep what makes the generation what it is, before the first vector is stored: how long vectors are, chunks no
        longer than the model reads, and who reads the files."""
        generation = self.generation
        fields: dict[str, Any] = {}
        if generation.dimension is None:
            fields |= {"dimension": model.dimension, "reader": reader_version()}
        elif generation.reader not in ("", reader_version()):
            fields["reader"] = ""
        if generation.chunk_size > model.room:
            fields["chunk_size"] = model.room
            fields["chunk_overlap"] = min(generation.chunk_overlap, model.room // 4)
            self.warn(
                f"chunk_size was {generation.chunk_size}, but {model.name} reads {model.room} tokens: that is used."
            )
        if fields:
            changed = await self.deps.store.collections.update_generation(generation, fields, self.fence)
            self.refresh(changed)

    def refresh(self, collection: Collection, generation: int | None = None) -> None:
        """Go on with the collection as it is now, on the same generation or on another."""
        self.collection = collection
        number = self.generation.number if generation is None else generation
        self.generation = next(one for one in collection.generations if one.number == number)


def overlap(one: Source, other: Source) -> bool:
    """Whether a file may lie in both folders."""
    paths = [each.path.rstrip("/") + "/" for each in (one, other)]
    return paths[0].startswith(paths[1]) or paths[1].startswith(paths[0])
