"""Common parts of the commands: the flags that locate the stores, exit statuses, and output.

A command is a coroutine that returns an exit status: 0 done, 1 failed, 2 usage error. Runs before and around the loop.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from semantik import __version__
from semantik.config.loader import entries, load
from semantik.config.settings import LogSettings, Settings
from semantik.core.errors import ConfigError, Invalid, SemantikError, Unavailable

FAILED, USAGE_ERROR = 1, 2
EXIT_STATUS = "Exit status: 0 done; 1 failed; 2 usage error; 130 ended by Ctrl-C."
INTERRUPTED = 130  # the status that a shell reports for Ctrl-C

_STORE_SETTINGS = ("data", "mongo_url", "mongo_database", "redis_url")


def store_flags() -> argparse.ArgumentParser:
    """A parent for parsers. Flags that are not given stay out of the namespace, so a subcommand may have them too."""
    parser = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"semantik {__version__}")
    group = parser.add_argument_group(
        "stores", "As for semantik-server; all other settings come from FILE or from the environment."
    )
    group.add_argument(
        "--config", type=Path, metavar="FILE", help="the server's configuration file, as conf/semantik.toml"
    )
    for entry in entries():
        if entry.name in _STORE_SETTINGS:
            group.add_argument(entry.flag, dest=entry.name, metavar="VALUE", help=entry.doc)
    return parser


def load_settings(arguments: argparse.Namespace) -> Settings:
    """The settings from the file, the environment and the flags; raises ConfigError."""
    flags = vars(arguments)
    return load(
        flags.get("config"), overrides={name: flags[name] for name in _STORE_SETTINGS if name in flags}
    )


def run_command(prog: str, command: Coroutine[Any, Any, int]) -> int:
    """Run a command to its end and return its status; an error is reported in one sentence."""
    from semantik.app.lifecycle import Lifecycle
    from semantik.app.log_format import configure_logging

    statuses: list[int] = []

    async def main() -> int:
        statuses.append(await command)
        return statuses[0]

    configure_logging(LogSettings(level="warning"))
    try:
        Lifecycle().run(main())
    except SemantikError as error:
        return report_error(prog, error)
    return statuses[0] if statuses else INTERRUPTED


def report_error(prog: str, error: SemantikError) -> int:
    """Print the error to standard error and return the matching exit status."""
    print(f"{prog}: {error}", file=sys.stderr)
    return USAGE_ERROR if isinstance(error, (ConfigError, Invalid)) else FAILED


def check_url(url: str) -> None:
    """Raises Invalid for a URL that cannot be a server's."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")
    except ValueError:  # a bad bracket or port, or an impossible host name
        valid = False
    if not valid:
        raise Invalid(f"--url {url!r} is not the URL of a server, such as https://semantik.example.org.")


def print_output(text: str) -> None:
    """Print a command's result; a closed pipe is no error. Raises Unavailable when it cannot be written."""
    try:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        print(text, flush=True)
    except OSError as error:
        # Otherwise the interpreter would flush again at its exit, and print an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise Unavailable(f"The output cannot be written: {error.strerror}.") from error


def format_table(head: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    """Aligned columns; numbers are aligned to the right."""
    lines = [head, *(tuple(str(cell) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    right = [bool(rows) and isinstance(rows[0][column], int) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )
