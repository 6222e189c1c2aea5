"""Puts a cluster before a server's own pool. Imports the library for it only when it is called."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from pipeline.compute.pool import ComputePool
from semantik.config.settings import Settings
from semantik.core.errors import ConfigError

MISSING = (
    "pool.scheduler needs packages that are not installed: run `pip install -c conf/constraints.txt '.[dask]'` in the "
    "folder of Semantik's source, with the pip of its .venv."
)


def with_cluster(
    settings: Callable[[], Settings], local: ComputePool
) -> AbstractAsyncContextManager[ComputePool]:
    """A pool that uses the cluster of `pool.scheduler`, and `local` while it is away; `local` where none is set.

    Raises ConfigError.
    """
    if not settings().pool.scheduler:
        return nullcontext(local)
    try:
        from pipeline.remote.pool import RemotePool
    except ModuleNotFoundError as error:
        raise ConfigError(MISSING) from error
    return RemotePool(settings, local)
