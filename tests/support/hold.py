"""Keeps an operation in its middle: files that are held are read when they are let go, and no worker goes on before.

The light model's workers heed it. The sign lies beside the folder, where no scan sees it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

_LOOK_S = 0.01


@contextmanager
def held(folder: Path, names: str = "*") -> Iterator[None]:
    """No file of this folder whose name matches is read meanwhile."""
    sign = _sign(folder)
    sign.write_text(names)
    try:
        yield
    finally:
        sign.unlink(missing_ok=True)


def wait_until_let_go(paths: Sequence[str]) -> None:
    """In a worker: return once none of the files is held."""
    while any(_is_held(Path(path)) for path in paths):
        time.sleep(_LOOK_S)


def _sign(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.hold")


def _is_held(path: Path) -> bool:
    try:
        return fnmatch(path.name, _sign(path.parent).read_text() or "-")
    except OSError:
        return False
