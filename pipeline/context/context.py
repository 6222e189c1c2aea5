"""One operation that this server runs: its records, its stage, and its dependencies.

Every change is saved in MongoDB first and published second. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Unpack

from pipeline.compute.messages import ModelInfo
from pipeline.compute.pool import ComputePool
from pipeline.connectors.registry import ConnectorRegistry
from pipeline.context.rate import RateEstimator
from pipeline.context.reporter import ProgressReporter
from pipeline.context.work import WorkProgress, share_without
from semantik.auth.folder_access import FolderAccess
from semantik.config.settings import Settings
from semantik.core.errors import NotFound
from semantik.core.kept_files import kept_folder
from semantik.core.models import Collection, Counts, Operation, Source, Stage, StageName, now
from semantik.progress import ProgressService
from semantik.search.index_sync import IndexSync
from semantik.services.notifications import OperationEvents
from semantik.storage.mongo import Store
from semantik.storage.mongo.operation_rows import OperationFields
from semantik.storage.upload_contents import UploadContents

RENEW_S = 1.0  # also the delay until a request to cancel is noticed
_MAX_WARNINGS = 200
_ROOTS_S = 5.0


@dataclass(frozen=True)
class Dependencies:
    """What every operation works with; `get_settings()` returns the settings of the moment."""

    get_settings: Callable[[], Settings]
    store: Store
    progress: ProgressService
    pool: ComputePool
    index_sync: IndexSync
    folder_access: FolderAccess
    connectors: ConnectorRegistry
    uploads: UploadContents
    events: OperationEvents

    @property
    def settings(self) -> Settings:
        return self.get_settings()


class OperationContext:
    """`operation` and `collection` are the records as last read or written; only the holder of the lease writes them.

    `generation` is what the operation works on: the generation that is searched, or the one that a REINDEX builds
    beside it. `current_file`, the progress of `work` and `pages`, the recognised pages and their total, are saved with
    each renewal of the lease. While documents are read and embedded, the progress goes from the first to the second
    value of `percent_range`; once the text of pages is recognised, `page_rate` is at hand and documents are counted.
    """

    def __init__(
        self, deps: Dependencies, operation: Operation, collection: Collection, reporter: ProgressReporter
    ) -> None:
        self.deps = deps
        self.operation = operation
        self.collection = collection
        self.generation = collection.current
        self.reporter = reporter
        self.percent_range = (0.0, 100.0)
        self.work = WorkProgress()
        self.page_rate: RateEstimator | None = None
        self.current_file = operation.current_file
        self.pages = (operation.pages_done, operation.pages_total)
        self.unrecognised = 0.0  # documents that were read, and wait for the recognition of their text
        self.unrecognised_read = 0  # the same, as soon as they are read: before they are stored and counted
        self._percent = operation.progress_percent
        self._work_started = False
        self._warnings = list(operation.warnings)
        self._counts = operation.counts
        self._marked_dirty = False
        self._roots: dict[str, tuple[str, ...]] = {}
        self._roots_until = 0.0

    @property
    def has_started(self) -> bool:
        """Whether the operation has locked its collection; one that was cancelled in the queue has not."""
        return self.collection.running == self.operation.id

    @property
    def fence(self) -> str:
        """The lease's token: writes that carry it are refused once another server has the lease."""
        assert self.operation.lease is not None
        return self.operation.lease.token

    async def source(self) -> Source:
        """The source that the operation is about; raises NotFound when it was removed meanwhile."""
        source_id = self.operation.source_id or ""
        source = await self.deps.store.collections.source(self.collection.id, source_id)
        if source is None:
            raise NotFound("The folder of this operation is not a source of its collection any more.")
        return source

    async def sources(self) -> list[Source]:
        """The source that the operation is about, or all of its collection except those that are being removed."""
        if self.operation.source_id is not None:
            return [await self.source()]
        return [source for source in await self.sources_of_collection() if not source.removing]

    async def sources_of_collection(self) -> list[Source]:
        return await self.deps.store.collections.sources([self.collection.id])

    async def roots_of_sources(self) -> Mapping[str, tuple[str, ...]]:
        """The folders that the files of each source must lie in: those of the user who added it, or else of the owner.

        Remembered for some seconds, so that what an administrator takes away is not read much longer.
        """
        if time.monotonic() > self._roots_until:
            owner = self.collection.owner_id
            self._roots = {
                source.id: await self.deps.folder_access.roots_of_source(source, owner)
                for source in await self.sources_of_collection()
            }
            self._roots_until = time.monotonic() + _ROOTS_S
        return self._roots

    async def kept_folders(self) -> Mapping[str, str]:
        """The folders of the data folder that hold the files of sources that are no folders, by source id."""
        data, sources = self.deps.settings.data, await self.sources_of_collection()
        return {one.id: str(kept_folder(data, one.id)) for one in sources if not one.is_folder}

    async def mark_dirty(self) -> None:
        """Note that documents of the operation's sources will change; call it before the first change."""
        if self._marked_dirty:
            return
        own, store = await self.sources(), self.deps.store
        all_sources = await self.sources_of_collection()
        await store.folder_digests.remove(
            [one.id for one in all_sources if any(overlap(one, each) for each in own)]
        )
        changed = await store.collections.mark_dirty(self.collection.id)
        if changed is not None:
            self.refresh(changed)
        self._marked_dirty = True

    async def save(self, **fields: Unpack[OperationFields]) -> None:
        """Set fields of the operation's record; raises LeaseLost when another server runs it now."""
        self._percent = max(self._percent, fields.get("progress_percent", 0.0))
        self.operation = await self.deps.store.operations.save(self.operation, fields)

    async def stage(self, name: StageName, percent: float | None = None, **data: Any) -> None:
        """Enter a stage: save it, then publish it, once however often the operation is resumed.

        `percent` is the operation's progress at this point.
        """
        stages = list(self.operation.stages)
        if name not in [stage.name for stage in stages]:
            stages.append(Stage(name, now()))
        fields: dict[str, Any] = {"stage": name, "stages": [asdict(stage) for stage in stages]}
        if percent is not None:
            fields["progress_percent"] = max(percent, self._percent)
            data["progress_percent"] = fields["progress_percent"]
        await self.save(**fields)
        await self.reporter.publish(name, idempotency_key=f"stage {name}", **data)

    def warn(self, sentence: str) -> None:
        """Add a warning for the user, up to a bound; the next `save_counts` saves it."""
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
        """Save the operation's progress: counts, warnings, rate and time left."""
        self._counts = counts
        await self.save(
            counts=asdict(counts),
            warnings=self._warnings,
            last_message=self.reporter.last_seq,
            **self._progress_fields(),
        )

    def continue_from(self, percent: float) -> None:
        """Go on from a progress that was published, but not saved before the operation's server died."""
        self._percent = max(self._percent, percent)

    def start_work(self, files: int, size: int) -> None:
        """A round of reading begins, with so many files of `size` bytes; the first goes on from the saved progress."""
        start, end = self.percent_range
        if not self._work_started:
            self.work.resume(min(1.0, max(0.0, (self._percent - start) / (end - start))))
        self._work_started = True
        self.work.start(files, size)

    def percent(self) -> float:
        """The progress by the work that is done. It never falls."""
        start, end = self.percent_range
        counts = self._counts
        waiting = max(self.unrecognised, self.unrecognised_read)
        if self.page_rate is not None:
            share = max(0.0, counts.processed - self.unrecognised) / counts.total if counts.total else 0.0
        else:
            read = 1.0 if counts.total and not counts.pending else self.work.share
            share = share_without(read, waiting, counts.total)
        self._percent = max(self._percent, round(start + (end - start) * min(1.0, share), 1))
        return self._percent

    async def save_generation_counts(self, counts: Counts) -> None:
        """Save the counts of the generation's documents."""
        self.refresh(await self.deps.store.collections.set_counts(self.generation, counts, self.fence))

    async def renew_lease(self) -> None:
        """Renew the lease for ever; returns when the operation is to be cancelled, raises LeaseLost."""
        while not self.operation.cancel_requested:
            await asyncio.sleep(RENEW_S)
            lease_s = self.deps.settings.operations.lease_s
            fresh = await self.deps.store.operations.renew_lease(
                self.operation, lease_s, **self._progress_fields()
            )
            # Only the fields of this renewal: a save that was answered meanwhile has newer values for the others.
            self.operation = replace(
                self.operation, lease=fresh.lease, cancel_requested=fresh.cancel_requested
            )

    def _progress_fields(self) -> dict[str, Any]:
        return {
            "current_file": self.current_file,
            **self.pace_fields(),
            "bytes_done": self.work.bytes_done,
            "bytes_total": self.work.bytes_total,
            "progress_percent": self.percent(),
            "pages_done": self.pages[0],
            "pages_total": self.pages[1],
        }

    def pace_fields(self) -> dict[str, float | None]:
        """How fast it goes, by the names of the record's fields."""
        return {
            "files_per_s": self.work.files_per_s,
            "chunks_per_s": self.work.chunks_per_s,
            "bytes_per_s": self.work.bytes_per_s,
            "eta_s": self.work.eta_s if self.page_rate is None else self.page_rate.eta_s,
        }

    def settings_used(self, precision: str | None = None) -> dict[str, object]:
        """The settings that the operation runs with, for its record; `precision` is that of the loaded model."""
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
        """Save the generation's properties before its first vector is stored.

        These are the dimension and a chunk size that the model can read. Raises Invalid when the model has another
        dimension than the vectors that are stored.
        """
        generation = self.generation
        generation.require_dimension(model.dimension)
        fields: dict[str, Any] = {}
        if generation.dimension is None:
            fields["dimension"] = model.dimension
        if generation.chunk_size > model.max_chunk_tokens:
            fields["chunk_size"] = model.max_chunk_tokens
            fields["chunk_overlap"] = min(generation.chunk_overlap, model.max_chunk_tokens // 4)
            self.warn(
                f"chunk_size was {generation.chunk_size}, but {model.name} reads {model.max_chunk_tokens} tokens: "
                "that is used."
            )
        if fields:
            changed = await self.deps.store.collections.update_generation(generation, fields, self.fence)
            self.refresh(changed)

    def refresh(self, collection: Collection, generation: int | None = None) -> None:
        """Use the collection as it is now, with the same generation or, given its number, another one."""
        self.collection = collection
        number = self.generation.number if generation is None else generation
        self.generation = next(one for one in collection.generations if one.number == number)


def overlap(a: Source, b: Source) -> bool:
    """Whether a file can lie in the folders of both sources."""
    path_a, path_b = a.path.rstrip("/") + "/", b.path.rstrip("/") + "/"
    return path_a.startswith(path_b) or path_b.startswith(path_a)
