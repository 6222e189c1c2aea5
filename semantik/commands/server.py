"""`semantik-server`: run the server until a signal ends it."""

from __future__ import annotations

import argparse
import gc
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from semantik import __version__
from semantik.configuration import Entry, entries, load
from semantik.errors import ConfigError, SemantikError
from semantik.settings import Settings

log = logging.getLogger("semantik")

_BAD_USAGE = 2


def main(argv: list[str]) -> int:
    """Parse the command line, run, and return the exit status: 0 after a signal, 1 when a part died, 2 for misuse."""
    from semantik.lifetime import Lifetime
    from semantik.logs import set_up

    arguments = vars(_parser().parse_args(argv))
    config = arguments.pop("config")
    overrides = {name: value for name, value in arguments.items() if value is not None}
    try:
        settings = load(config, overrides=overrides)
        set_up(settings.log)
        _look_at(settings.documents.roots)
        lifetime = Lifetime()
        return lifetime.run(_serve(settings, lifetime.leave))
    except SemantikError as error:
        print(f"semantik-server: {error}", file=sys.stderr)
        return _BAD_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="semantik-server",
        description="Run the Semantik server. Every setting can also stand in the configuration file "
        "or in the environment; docs/configuration.md explains them.",
    )
    parser.add_argument("--version", action="version", version=f"semantik {__version__}")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="a configuration file, as conf/semantik.toml"
    )
    for entry in entries():
        parser.add_argument(entry.flag, dest=entry.name, metavar="VALUE", help=_help(entry))
    return parser


def _help(entry: Entry) -> str:
    default = ", ".join(entry.default) if isinstance(entry.default, tuple) else entry.default
    return f"{entry.doc} [{default}]".replace("%", "%%")


def _look_at(roots: tuple[str, ...]) -> None:
    """Refuse a root that is a file. One that is missing may be a disk that is mounted later: searching does without."""
    for root in map(Path, roots):
        if root.is_file():
            raise ConfigError(
                f"documents.roots = {str(root)!r} is not allowed: a folder is expected, not a file."
            )
        if not root.is_dir():
            log.warning("documents.roots has %s, which is no folder now; nothing below it can be read", root)


async def _serve(settings: Settings, leave: Callable[[], None]) -> int:
    from semantik.server import running

    async with running(settings) as server:
        # What is loaded by now stays to the end: the collector need not look at it while messages wait.
        gc.collect()
        gc.freeze()
        print(f"Semantik is ready: {server.url}", flush=True)
        try:
            await server.failure
        except Exception as error:
            log.critical("A part of the server has died; ending", exc_info=error)
        leave()
        return 1
