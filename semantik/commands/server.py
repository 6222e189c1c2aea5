"""`semantik-server`: run the server until a signal ends it."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import gc
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.extraction.recognition.installation import recognition
from semantik import __version__
from semantik.app.descriptors import raise_descriptor_limit
from semantik.app.log_format import configure_logging
from semantik.app.memory import share_arenas
from semantik.commands.cli_common import EXIT_STATUS, FAILED, USAGE_ERROR
from semantik.config.loader import RENAMED, Entry, entries, flag_name, load
from semantik.config.settings import DocumentSettings, Settings
from semantik.core.errors import ConfigError, SemantikError, Unavailable

if TYPE_CHECKING:
    from pipeline.compute.pool import PoolFactory
    from semantik.app.sd_notify import Notifier
    from semantik.server import Server

log = logging.getLogger("semantik")

# The longest time for which another thread that runs Python delays the loop, and with it every search.
_SWITCH_S = 0.0005


def main(argv: list[str], make_pool: PoolFactory | None = None) -> int:
    """Run the server, and return the exit status: 0 after a signal, 1 when a part has failed, 2 for a usage error.

    `make_pool` as in `semantik.server.running`; the local processes when it is None.
    """
    from semantik.app.lifecycle import Lifecycle

    arguments = vars(parser().parse_args(argv))
    config = arguments.pop("config")
    if roots := arguments.pop("root"):
        arguments["documents.roots"] = [str(Path(root).expanduser().absolute()) for root in roots]
    overrides = {name: value for name, value in arguments.items() if value is not None}

    def read_settings() -> Settings:
        settings = load(config, overrides=overrides)
        _check_roots(settings.documents.roots)
        _check_recognition(settings.documents)
        return settings

    try:
        settings = read_settings()
        _apply_log_settings(settings)
        faulthandler.enable()  # so that the log shows where a server hung that systemd's watchdog ends
        hangup = asyncio.Event()
        raise_descriptor_limit(settings.connections.total)
        sys.setswitchinterval(_SWITCH_S)
        share_arenas()
        lifecycle = Lifecycle(hangup)
        return lifecycle.run(_serve(settings, read_settings, hangup, lifecycle.start_deadline, make_pool))
    except SemantikError as error:
        print(f"semantik-server: {error}", file=sys.stderr)
        return FAILED if isinstance(error, Unavailable) else USAGE_ERROR


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="semantik-server",
        epilog=EXIT_STATUS,
        description="Run the Semantik server. Every setting can also be given in the configuration file "
        "or in the environment; docs/reference/configuration.md explains them.",
    )
    made.add_argument("--version", action="version", version=f"semantik {__version__}")
    made.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a configuration file, such as conf/semantik.toml [the one that SEMANTIK_CONFIG names]",
    )
    made.add_argument(
        "--root",
        action="append",
        metavar="DIR",
        help="a folder below which documents may be read, repeatable; short for --documents-roots",
    )
    for entry in entries():
        made.add_argument(entry.flag, dest=entry.name, metavar="VALUE", help=_help(entry))
    for name in RENAMED:  # accepted here, so that `load` refuses them with the new name
        made.add_argument(flag_name(name), dest=name, help=argparse.SUPPRESS)
    return made


def _help(entry: Entry) -> str:
    default = ", ".join(entry.default) if isinstance(entry.default, tuple) else entry.default
    return f"{entry.doc} [{default}]".replace("%", "%%")


def _check_roots(roots: tuple[str, ...]) -> None:
    for root in map(Path, roots):
        if root.is_file():
            raise ConfigError(
                f"documents.roots = {str(root)!r} is not allowed: a folder is expected, not a file."
            )


def _check_recognition(documents: DocumentSettings) -> None:
    """Where the settings demand the recognition of text, it must be possible, and with all its languages."""
    if documents.ocr != "on":
        return
    found = recognition(documents.ocr, documents.ocr_languages)
    if reason := found.reason or found.warning:
        raise ConfigError(f'documents.ocr = "on", and something is missing for that: {reason.rstrip(".")}.')


def _apply_log_settings(settings: Settings) -> None:
    """Configure the log, and warn of missing roots: a disk may be mounted later, so that is no error."""
    configure_logging(settings.log)
    for root in map(Path, settings.documents.roots):
        if not root.is_dir():
            log.warning(
                "documents.roots has %s, which is not a folder now; nothing below it can be read", root
            )


async def _serve(
    settings: Settings,
    read_settings: Callable[[], Settings],
    hangup: asyncio.Event,
    start_deadline: Callable[[], None],
    make_pool: PoolFactory | None,
) -> int:
    _protect_process()
    gc.disable()  # the collector would look again and again at what is loaded here, which stays
    async with AsyncExitStack() as stack:
        if make_pool is None:
            make_pool = await stack.enter_async_context(_local_pool(settings))
        return await _serve_with(make_pool, settings, read_settings, hangup, start_deadline)


@asynccontextmanager
async def _local_pool(settings: Settings) -> AsyncIterator[PoolFactory]:
    """The pool of local processes, which load their libraries while this process loads its own."""
    from pipeline.workers.fork_servers import ForkServers
    from pipeline.workers.functions import WorkerFunctions

    servers = ForkServers(settings, WorkerFunctions())
    servers.start()
    try:
        from pipeline.workers.pool import Pool

        yield partial(Pool, servers=servers)
    finally:
        await servers.close()


async def _serve_with(
    make_pool: PoolFactory,
    settings: Settings,
    read_settings: Callable[[], Settings],
    hangup: asyncio.Event,
    start_deadline: Callable[[], None],
) -> int:
    from semantik.app.memory import return_freed_memory
    from semantik.app.sd_notify import Notifier
    from semantik.server import running

    notifier = Notifier.from_environment(os.environ)
    async with running(settings, make_pool) as server:
        # Objects that exist by now live to the end: the collector need not scan them while messages wait. To look for
        # garbage among them before would take 60 ms, and find some hundred objects.
        gc.freeze()
        gc.enable()
        print(f"Semantik is ready: {server.url}", flush=True)
        if server.setup_code is not None:
            print(_setup_line(server.url, server.setup_code, settings.auth.setup_code), flush=True)
        await notifier.ready(f"Serving at {server.url}")
        tasks = [
            asyncio.create_task(notifier.keep_alive(), name="keep-alive"),
            asyncio.create_task(return_freed_memory(), name="memory"),
            asyncio.create_task(_reload_on_hangup(server, read_settings, hangup, notifier), name="reload"),
        ]
        try:
            done, _ = await asyncio.wait((server.failure, *tasks), return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                await part
        except Exception as error:
            log.critical("A part of the server has failed; stopping", exc_info=error)
        finally:
            for task in tasks:
                task.cancel()
            await notifier.stopping()
        start_deadline()
        return 1


def _protect_process() -> None:
    """No process of this server gets more privileges than it has, and no other of its user reads its memory."""
    from pipeline.isolation import system_calls

    for step in (system_calls.forbid_new_privileges, system_calls.hide_memory):
        try:
            step()
        except OSError as error:
            log.warning("The kernel refuses %s: %s", step.__name__, error.strerror)


def _setup_line(url: str, code: str, configured: str) -> str:
    """How the first user is registered; a code of the configuration is not printed."""
    if configured:
        return f"There is no user yet: create the administrator at {url} with the code that auth.setup_code sets."
    return f"There is no user yet: create the administrator at {url}/#/setup?code={code}"


async def _reload_on_hangup(
    server: Server, read_settings: Callable[[], Settings], hangup: asyncio.Event, notifier: Notifier
) -> None:
    """Reload the settings at each SIGHUP. If one of them is wrong, all are refused and the old ones stay."""
    while True:
        await hangup.wait()
        hangup.clear()
        await notifier.reloading()
        try:
            fresh = await asyncio.to_thread(read_settings)
        except ConfigError as error:
            log.error("Nothing was reloaded, the settings stay as they were: %s", error)
        else:
            result = server.reload(fresh)
            await asyncio.to_thread(_apply_log_settings, fresh)
            log.info("Reloaded: %s", ", ".join(result.changed) or "nothing has changed")
            if result.needs_restart:
                log.warning("These settings need a restart: %s", ", ".join(result.needs_restart))
        await notifier.ready(f"Serving at {server.url}")
