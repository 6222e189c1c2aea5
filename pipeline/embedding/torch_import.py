"""Imports torch for inference alone: what only other uses of it need is loaded when it is first used.

Some of torch's modules register what compilers, tensors without data and graphics processors need. Loading them takes a
fifth of the time and a tenth of the memory of `import torch`. Runs in the worker processes and the fork servers.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_DEFERRED = ("torch._meta_registrations", "torch.distributed._meta_registrations", "torch._native")


class _Deferring:
    """Finds the deferred modules, so that they are loaded when something of them is used."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in _DEFERRED else None
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


def import_torch() -> None:
    """Import torch, if it is not imported yet, without the deferred modules."""
    sys.meta_path.insert(0, _Deferring)
    try:
        import torch  # noqa: F401
    finally:
        sys.meta_path.remove(_Deferring)


def complete() -> None:
    """Load the deferred modules: whoever loads a model of any make needs the whole of torch."""
    for name in _DEFERRED:
        if (module := sys.modules.get(name)) is not None:
            vars(module)  # any look at it loads it
