"""Imports sentence-transformers without scikit-learn and SciPy, which take half of its time and 20 MB.

It needs their functions only to compare sparse vectors and to train; one that is called all the same is loaded then.
Runs in the worker processes and the full fork server.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_DEFERRED = ("scipy", "scipy.optimize", "scipy.sparse", "sklearn", "sklearn.metrics")


class _DeferredFunction:
    """Stands for a function or class of a deferred module."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(importlib.import_module(self._module), self._name)(*args, **kwargs)


class _DeferredModule(ModuleType):
    """Has every name that code may import from it."""

    def __getattr__(self, name: str) -> _DeferredFunction:
        if name.startswith("__"):
            raise AttributeError(name)
        return _DeferredFunction(self.__name__, name)


class _DeferringFinder:
    """Finds the deferred modules that are installed; also their loader."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _DEFERRED or PathFinder.find_spec(name.partition(".")[0]) is None:
            return None
        return ModuleSpec(name, _DeferringFinder, is_package=True)  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> ModuleType:
        return _DeferredModule(spec.name)

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """There is nothing to run."""


def import_sentence_transformers() -> None:
    """Import sentence-transformers, if it is not imported yet. Afterwards the deferred modules are found as usual."""
    sys.meta_path.insert(0, _DeferringFinder)
    try:
        import sentence_transformers  # noqa: F401
    finally:
        sys.meta_path.remove(_DeferringFinder)
        for name in _DEFERRED:
            if isinstance(sys.modules.get(name), _DeferredModule):
                del sys.modules[name]
