"""`semantik-server`: run the server until a signal ends it."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import gc
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from semantik import __version__
from semantik.app.log_format import set_up
from semantik.config.loader import Entry, entries, load
from semantik.config.settings import Settings
from semantik.core.errors import ConfigError, SemantikError, Unavailable

if TYPE_CHECKING:
    from pipeline.compute.pool import PoolFactory
    from semantik.app.sd_notify import Notifier
    from semantik.server import Server

log = logging.getLogger("semantik")

_COULD_NOT, _BAD_USAGE = 1, 2
# A thread that runs Python holds up the loop, and with it every search, for so long at most.
_SWITCH_S = 0.0005


def main(argv: list[str], make_pool: PoolFactory | None = None) -> int:
    """Parse the command line, run, and return the exit status: 0 after a signal, 1 when a part died, 2 for misuse.

    `make_pool` as in `semantik.server.running`; the local processes when it is None.
    """
    from semantik.app.lifecycle import Lifecycle

    arguments = vars(_parser().parse_args(argv))
    config = arguments.pop("config")
    overrides = {name: value for name, value in arguments.items() if value is not None}

    def read() -> Settings:
        settings = load(config, overrides=overrides)
        _refuse_files(settings.documents.roots)
        return settings

    try:
        settings = read()
        _tell(settings)
        faulthandler.enable()  # when systemd's watchdog ends a server that hangs, the log says where it hung
        hung_up = asyncio.Event()
        sys.setswitchinterval(_SWITCH_S)
        lifetime = Lifecycle(hung_up)
        return lifetime.run(_serve(settings, read, hung_up, lifetime.leave, make_pool))
    except SemantikError as error:
        print(f"semantik-server: {error}", file=sys.stderr)
        return _COULD_NOT if isinstance(error, Unavailable) else _BAD_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="semantik-server",
        description="Run the Semantik server. Every setting can also stand in the configuration file "
        "or in the environment; docs/configuration.md explains them.",
    )
    parser.add_argument("--version", action="version", version=f"semantik {__version__}")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a configuration file, as conf/semantik.toml [the one that SEMANTIK_CONFIG names]",
    )
    for entry in entries():
        parser.add_argument(entry.flag, dest=entry.name, metavar="VALUE", help=_help(entry))
    return parser


def _help(entry: Entry) -> str:
    default = ", ".join(entry.default) if isinstance(entry.default, tuple) else entry.default
    return f"{entry.doc} [{default}]".replace("%", "%%")


def _refuse_files(roots: tuple[str, ...]) -> None:
    for root in map(Path, roots):
        if root.is_file():
            raise ConfigError(
                f"documents.roots = {str(root)!r} is not allowed: a folder is expected, not a file."
            )


def _tell(settings: Settings) -> None:
    """Log as the settings say, and name roots that are missing: a disk may be mounted later, so that is no error."""
    set_up(settings.log)
    for root in map(Path, settings.documents.roots):
        if not root.is_dir():
            log.warning("documents.roots has %s, which is no folder now; nothing below it can be read", root)


async def _serve(
    settings: Settings,
    read: Callable[[], Settings],
    hung_up: asyncio.Event,
    leave: Callable[[], None],
    make_pool: PoolFactory | None,
) -> int:
    gc.disable()  # the collector would look again and again at what is loaded here, which stays
    from pipeline.workers.pool import Pool
    from semantik.app.sd_notify import Notifier
    from semantik.server import running

    manager = Notifier.of(os.environ)
    async with running(settings, make_pool or Pool) as server:
        # What is loaded by now stays to the end: the collector need not look at it while messages wait.
        gc.collect()
        gc.freeze()
        gc.enable()
        print(f"Semantik is ready: {server.url}", flush=True)
        await manager.ready(f"Serving at {server.url}")
        duties = [
            asyncio.create_task(manager.keep_alive(), name="sign of life"),
            asyncio.create_task(_reload_for_ever(server, read, hung_up, manager), name="reload"),
        ]
        try:
            done, _ = await asyncio.wait((server.failure, *duties), return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                await part
        except Exception as error:
            log.critical("A part of the server has died; ending", exc_info=error)
        finally:
            for duty in duties:
                duty.cancel()
            await manager.stopping()
        leave()
        return 1


async def _reload_for_ever(
    server: Server, read: Callable[[], Settings], hung_up: asyncio.Event, manager: Notifier
) -> None:
    """Take the settings anew whenever somebody asks. Wrong ones are refused as a whole, and the old ones stay."""
    while True:
        await hung_up.wait()
        hung_up.clear()
        await manager.reloading()
        try:
            fresh = await asyncio.to_thread(read)
        except ConfigError as error:
            log.error("Nothing was reloaded, the settings stay as they were: %s", error)
        else:
            done = server.reload(fresh)
            await asyncio.to_thread(_tell, fresh)
            log.info("Reloaded: %s", ", ".join(done.changed) or "nothing has changed")
            if done.waiting:
                log.warning("Only a restart takes these: %s", ", ".join(done.waiting))
        await manager.ready(f"Serving at {server.url}")
