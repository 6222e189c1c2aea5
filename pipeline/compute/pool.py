"""The protocol `ComputePool`: what the server needs from the processes that read files and embed texts.

Runs on the loop. Imports neither torch nor an implementation; `semantik.server.running` takes the factory.

To add another implementation:
1. Write a class with these members; it need not inherit from `ComputePool`, mypy compares the shapes.
2. Write a factory for it (`PoolFactory`): the class itself, when its constructor takes only the settings.
3. Pass the factory to `running(settings, make_pool=...)`.

All arguments and results are frozen dataclasses of `pipeline.compute.messages`, so they can be sent over a network.
`run` has a process on the server's machine. `pipeline.workers.pool.Pool` is the implementation with local processes,
and `pipeline.remote.pool.RemotePool` that with a cluster.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.compute.messages import (
    ChunkingOptions,
    FileTask,
    ModelInfo,
    ModelSpec,
    Outcome,
    Pages,
    TextChunks,
)
from pipeline.compute.page_messages import PageTask, PageText
from semantik.app.health import ClusterState, IsolationState, WorkerInfo
from semantik.config.settings import Settings


class ComputePool(Protocol):
    """Files and texts in, chunks and vectors out. All methods but `workers` are called on the loop.

    Methods raise Unavailable when no worker can do the work now, and after the pool is closed.
    """

    @property
    def batch_workers(self) -> int:
        """The number of `read`, `split`, `embed` and `recognise` calls that run at the same time; it may change."""

    @property
    def is_ready(self) -> bool:
        """Whether a query can be answered at once, or only waits for a model that was never used before."""

    async def wait_ready(self) -> None:
        """Wait until `is_ready`. Raises the error of the present attempt to get ready; further attempts follow."""

    async def read(self, files: Sequence[FileTask], options: ChunkingOptions) -> list[Outcome]:
        """One outcome for each file, in order; a file that cannot be read is a ReadFailure.

        Raises Invalid when the model that counts the tokens cannot be loaded.
        """

    async def split(self, text: str, pages: Pages, options: ChunkingOptions) -> TextChunks:
        """The chunks of a text that was read before.

        Raises Invalid when the model that counts the tokens cannot be loaded.
        """

    async def recognise(self, pages: Sequence[PageTask]) -> list[PageText]:
        """The texts of pages of one file that are pictures, in order; that one has none, or took too long, is no error.

        They are recognised one after the other. The process that does it gives way to those of other calls.
        """

    def pages_together(self, file: FileTask, pages: int) -> int:
        """How many of `pages` pages of a file one call of `recognise` should get, 1 or more."""

    async def languages(
        self, paths: Sequence[str], roots: tuple[str, ...], max_bytes: int, limit_s: float
    ) -> Sequence[str]:
        """The language (ISO 639-1) of each file that has one, of as many files as can be read in `limit_s` seconds.

        Files that lie below no root, cannot be read, have more than `max_bytes`, or have no text, are passed over.
        """

    async def embed(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        """Vectors of chunks: float16 (n, dimension) of unit length, in order.

        Raises Invalid for a model that cannot be loaded, or a text that cannot be embedded.
        """

    async def embed_queries(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        """Vectors of queries: float32 (n, dimension) of unit length, in order; does not wait for `embed` calls.

        Raises Invalid for a model that cannot be loaded.
        """

    async def rerank(self, model: str, query: str, texts: Sequence[str]) -> Sequence[float]:
        """A number for each text from the cross-encoder `model`; does not wait for other calls than its own kind.

        Raises Invalid for a model that cannot be loaded, or is no cross-encoder.
        """

    async def describe(self, model: ModelSpec) -> ModelInfo:
        """Load the model and return its properties. Raises Invalid, with one sentence, when it cannot be loaded."""

    async def run(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """The result of an importable function with picklable arguments, called in another process.

        The process is on this machine, because the function may change files of the index. It opens no documents, and
        what it returns is plain data, or what its annotation names (`pipeline.compute.answers`). Raises what the
        function raises; Unavailable when its process ends or takes longer than `timeout_s`, in seconds.
        """

    @property
    def isolation(self) -> IsolationState:
        """What the processes that read files cannot do, for the status page."""

    @property
    def cluster(self) -> ClusterState | None:
        """The machines that it has besides this one, for the status page; None where it has none ever."""

    def workers(self) -> Sequence[WorkerInfo]:
        """The worker processes on this machine, for the status page; empty when there are none. Call it in a thread."""


def query_encoder(pool: ComputePool) -> Callable[[str, str, Sequence[str]], Awaitable[NDArray[np.float32]]]:
    """A function of a model, its precision and texts that embeds these as queries."""

    async def embed(model: str, precision: str, texts: Sequence[str]) -> NDArray[np.float32]:
        return await pool.embed_queries(ModelSpec(model, precision), texts)

    return embed


PoolFactory = Callable[[Callable[[], Settings]], AbstractAsyncContextManager[ComputePool]]
"""`make_pool(settings)`: `settings()` returns the current settings. Entering must not wait for a model to load."""
