"""Where a walk may lead, and which names it reports. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class WalkRules:
    """Where a walk may lead (`roots`, but never into `forbidden`), and which names count (see semantik/core/globs.py).

    Files and folders that match a glob of `exclude` are left out silently; with `include` only files that match one of
    its globs are reported. `recursive=False` keeps to the folder's own files. `excluded` are files that are left out,
    too: paths relative to the root.
    """

    roots: tuple[str, ...]
    exclude: tuple[str, ...]
    forbidden: tuple[Path, ...] = ()
    include: tuple[str, ...] = ()
    recursive: bool = True
    excluded: frozenset[str] = frozenset()
