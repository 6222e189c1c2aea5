"""What the administrator's scripts have in common: the flags that lead to the stores, and how a script ends.

Each is a coroutine that returns an exit status: 0 done, 1 could not, 2 misuse. Runs before and around the loop.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from semantik import __version__
from semantik.config.loader import entries, load
from semantik.config.settings import LogSettings, Settings
from semantik.core.errors import ConfigError, Invalid, SemantikError, Unavailable

COULD_NOT, MISUSE = 1, 2
INTERRUPTED = 130  # as a shell tells of Ctrl-C

_SHOWN = ("data", "mongo_url", "mongo_database", "redis_url")


def store_flags() -> argparse.ArgumentParser:
    """A parent of parsers. What was not given is not in the namespace, so a subcommand may take the flags too."""
    parser = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"semantik {__version__}")
    group = parser.add_argument_group(
        "stores", "As for semantik-server; all other settings come from FILE or from the environment."
    )
    group.add_argument(
        "--config", type=Path, metavar="FILE", help="the server's configuration file, as conf/semantik.toml"
    )
    for entry in entries():
        if entry.name in _SHOWN:
            group.add_argument(entry.flag, dest=entry.name, metavar="VALUE", help=entry.doc)
    return parser


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings that the flags, the environment and the file make together; raises ConfigError."""
    given = vars(arguments)
    return load(given.get("config"), overrides={name: given[name] for name in _SHOWN if name in given})


def perform(prog: str, work: Coroutine[Any, Any, int]) -> int:
    """Run a script's work to its end, and return its status; what went wrong is told in one sentence."""
    from semantik.app.lifecycle import Lifecycle
    from semantik.app.log_format import set_up

    ended: list[int] = []

    async def whole() -> int:
        ended.append(await work)
        return ended[0]

    set_up(LogSettings(level="warning"))
    try:
        Lifecycle().run(whole())
    except SemantikError as error:
        return refused(prog, error)
    return ended[0] if ended else INTERRUPTED


def refused(prog: str, error: SemantikError) -> int:
    """Tell why it cannot be; returns the status that goes with it."""
    print(f"{prog}: {error}", file=sys.stderr)
    return MISUSE if isinstance(error, (ConfigError, Invalid)) else COULD_NOT


def tell(text: str) -> None:
    """Print a script's answer; its reader may go away before its end. Raises Unavailable when the disk is full."""
    try:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        print(text, flush=True)
    except OSError as error:
        # Else the interpreter would try once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise Unavailable(f"The answer cannot be written: {error.strerror}.") from error


def table(head: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    """Aligned columns; numbers stand to the right."""
    lines = [head, *(tuple(str(cell) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    right = [bool(rows) and isinstance(rows[0][column], int) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if numbers else cell.ljust(width)
            for cell, width, numbers in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )
