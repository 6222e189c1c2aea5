"""The memory of a batch worker that reads and embeds real documents, by format: at most, and after its tasks.

A pool of this process with one worker reads each file alone, and embeds its chunks. The worker's own memory (USS) is
sampled meanwhile; each format starts with a new worker.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench import corpus
from bench.chunks import MODEL
from bench.reading_corpus import documents
from bench.results import Result
from pipeline.compute.messages import ChunkingOptions, FileTask, ModelSpec, ReadDocument
from pipeline.workers.pool import Pool
from semantik.config.settings import PoolSettings, Settings

_FILES = 8  # of a format: its largest
_CHUNKS = 256  # of a file that are embedded: one task
_SAMPLE_S = 0.02
_LIMIT_MB = 150
_MB = 1 << 20
_OPTIONS = ChunkingOptions(MODEL, 200, 20)
_SPEC = ModelSpec(MODEL, "auto")


@dataclass
class Usage:
    """Bytes (USS) of a worker: the most at any time, and the most after a task."""

    peak: int = 0
    rest: int = 0


def measure() -> Iterator[Result]:
    for suffix, files in documents().items():
        largest = sorted(files, key=lambda file: -file.stat().st_size)[:_FILES]
        if largest:
            usage = asyncio.run(_usage(largest))
            note = f"{len(largest)} largest files; {usage.rest / _MB:.0f} MB after a task"
            yield Result(
                f"memory of a worker, {suffix}", usage.peak / _MB, "MB (USS)", maximum=_LIMIT_MB, note=note
            )


async def _usage(files: Sequence[Path]) -> Usage:
    usage = Usage()
    with tempfile.TemporaryDirectory(dir=corpus.WORK_FOLDER) as folder:
        settings = Settings(data=Path(folder), pool=PoolSettings(workers=1))
        async with Pool(lambda: settings) as pool:
            await pool.describe(_SPEC)
            for file in files:
                async with _sampled(pool, usage):
                    await _read_and_embed(pool, file)
                usage.rest = max(usage.rest, _worker_bytes(pool))
    return usage


async def _read_and_embed(pool: Pool, file: Path) -> None:
    for outcome in await pool.read(
        [FileTask(file.name, str(file), file.stat().st_size, roots=("/",))], _OPTIONS
    ):
        if isinstance(outcome, ReadDocument):
            await pool.embed(_SPEC, outcome.chunks.texts[:_CHUNKS])


@asynccontextmanager
async def _sampled(pool: Pool, usage: Usage) -> AsyncIterator[None]:
    async def sample() -> None:
        while True:
            usage.peak = max(usage.peak, _worker_bytes(pool))
            await asyncio.sleep(_SAMPLE_S)

    sampling = asyncio.create_task(sample())
    try:
        yield
    finally:
        sampling.cancel()
        with suppress(asyncio.CancelledError):
            await sampling


def _worker_bytes(pool: Pool) -> int:
    return max((each.uss_bytes for each in pool.workers() if each.role == "batch"), default=0)
