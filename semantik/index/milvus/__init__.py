"""Vectors in Milvus, an engine that many servers share: a `VectorRetriever` beside the local `VectorIndex`.

Each generation of a collection is a collection of Milvus. MongoDB stays the source of truth: what Milvus loses is added
again. Only this package imports pymilvus, and only when `index.engine` is milvus.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from semantik.config.milvus_settings import MilvusSettings
from semantik.core.errors import ConfigError

if TYPE_CHECKING:
    from semantik.index.milvus.monitor import MilvusMonitor
    from semantik.index.milvus.registry import MilvusRegistry

MISSING = (
    'index.engine = "milvus" needs packages that are not installed: run `pip install -c conf/constraints.txt '
    "'.[milvus]'` in the folder of Semantik's source, with the pip of its .venv."
)


def milvus_registry(settings: MilvusSettings, is_away: Callable[[], bool] = lambda: False) -> MilvusRegistry:
    """The vector indexes in Milvus. It connects with the first call. Raises ConfigError without the packages for it.

    `is_away()`: whether a look a moment ago found no Milvus; see `MilvusConnection`.
    """
    try:
        from semantik.index.milvus.registry import MilvusRegistry
    except ModuleNotFoundError as error:
        raise ConfigError(MISSING) from error
    return MilvusRegistry(settings, is_away)


def milvus_monitor(settings: MilvusSettings) -> AbstractAsyncContextManager[MilvusMonitor]:
    """Looks whether Milvus answers, while inside. Raises ConfigError without the packages for it."""
    try:
        from semantik.index.milvus.monitor import milvus_monitor
    except ModuleNotFoundError as error:
        raise ConfigError(MISSING) from error
    return milvus_monitor(settings)
