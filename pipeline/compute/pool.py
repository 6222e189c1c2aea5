"""What the server needs of the processes that read files and embed texts: the protocol `ComputePool`.

Runs on the loop. Imports neither torch nor an implementation; `semantik.server.running` takes the factory.

To add another implementation:
1. Write a class with these members; it need not inherit from `ComputePool`, mypy compares the shapes.
2. Write a factory for it (`PoolFactory`): the class itself, when its constructor takes the settings alone.
3. Pass the factory to `running(settings, make_pool=...)`.

All arguments and results are frozen dataclasses of `pipeline.compute.messages`, so a network can carry them. An
implementation must provide two things: the workers of `read` see the files under the paths of the server, and `run` has
a process on the server's machine. `pipeline.workers.pool.Pool` is the implementation with local processes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import numpy as np

from pipeline.compute.messages import ChunkingOptions, FileTask, ModelInfo, ModelSpec, Outcome, TextChunks
from semantik.app.health import WorkerInfo
from semantik.config.settings import Settings


class ComputePool(Protocol):
    """Files and texts in, chunks and vectors out. All methods but `workers` are called on the loop.

    Methods raise Unavailable when no worker can do the work now, and after the pool was closed.
    """

    @property
    def batch_workers(self) -> int:
        """The number of `read`, `cut` and `embed` calls that are worked on at the same time."""

    @property
    def is_ready(self) -> bool:
        """Whether a query can be answered at once, or needs no more than a model that nobody has used yet."""

    async def wait_ready(self) -> None:
        """Wait until `is_ready`. Raises the error of the present attempt to get ready; further attempts follow."""

    async def read(self, files: Sequence[FileTask], cutting: ChunkingOptions) -> list[Outcome]:
        """One outcome for each file, in order; a file that cannot be read is a ReadFailure.

        Raises Invalid when the model that counts the tokens cannot be loaded.
        """

    async def cut(
        self, text: str, pages: tuple[tuple[int, int], ...], cutting: ChunkingOptions
    ) -> TextChunks:
        """The chunks of a text that was read before; `pages` are pairs of a page's number and its first character.

        Raises Invalid when the model that counts the tokens cannot be loaded.
        """

    async def embed(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        """Vectors of chunks: float16 (n, dimension) of unit length, in order.

        Raises Invalid for a model that cannot be loaded, or a text that cannot be embedded.
        """

    async def embed_questions(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        """Vectors of queries: float32 (n, dimension) of unit length, in order; never behind calls of `embed`.

        Raises Invalid for a model that cannot be loaded.
        """

    async def describe(self, model: ModelSpec) -> ModelInfo:
        """What the model is, once it was loaded. Raises Invalid, in one sentence, when it cannot be loaded."""

    async def run(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """The result of an importable function with picklable arguments, called in another process.

        The function may map files of the data folder, so the process is on this machine. Raises what the function
        raises; Unavailable when its process ends or takes longer than `timeout_s`, in seconds.
        """

    def workers(self) -> Sequence[WorkerInfo]:
        """The worker processes on this machine, for the status page; empty when there are none. Called in a thread."""


PoolFactory = Callable[[Callable[[], Settings]], AbstractAsyncContextManager[ComputePool]]
"""`make_pool(settings)`: `settings()` gives those of the moment. Entering must not wait for a model to load."""
