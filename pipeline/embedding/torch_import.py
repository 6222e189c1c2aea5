"""Imports torch for inference: modules that only other uses need are loaded when they are first used.

Some modules of torch register what compilers, meta tensors and GPUs need. They take a fifth of the time and a tenth of
the memory of `import torch`. Runs in the worker processes and the fork servers.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_DEFERRED = ("torch._meta_registrations", "torch.distributed._meta_registrations", "torch._native")


class _LazyFinder:
    """Finds the deferred modules and has them loaded at the first access to an attribute."""

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
    sys.meta_path.insert(0, _LazyFinder)
    try:
        import torch  # noqa: F401
    finally:
        sys.meta_path.remove(_LazyFinder)


def load_deferred() -> None:
    """Load the deferred modules: a model may use anything of torch."""
    for name in _DEFERRED:
        if (module := sys.modules.get(name)) is not None:
            vars(module)  # any access loads it
