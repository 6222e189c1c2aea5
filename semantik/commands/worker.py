"""`semantik-worker`: read files, recognise pages and embed for the servers of a Dask cluster, until a signal comes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semantik import __version__
from semantik.app.log_format import configure_logging
from semantik.commands.cli_common import EXIT_STATUS, FAILED, USAGE_ERROR
from semantik.config.loader import entries, load
from semantik.config.settings import Settings
from semantik.core.errors import ConfigError, SemantikError, Unavailable

if TYPE_CHECKING:
    from pipeline.workers.functions import WorkerFunctions

_PROG = "semantik-worker"
_SECTIONS = ("pool.", "embedding.", "log.")
_MAX_PORT = 65_535


def main(argv: list[str], functions: WorkerFunctions | None = None) -> int:
    """Work, and return the exit status: 0 after a signal, 1 without the model, 2 for a usage error."""
    from semantik.app.lifecycle import Lifecycle

    arguments = vars(parser().parse_args(argv))
    config, port = arguments.pop("config"), arguments.pop("listen_port")
    overrides = {name: value for name, value in arguments.items() if value is not None}
    try:
        settings = load(config, overrides=overrides)
        if not settings.pool.scheduler:
            raise ConfigError("Give the scheduler of the cluster: --pool-scheduler tls://host:port.")
        configure_logging(settings.log)
        return Lifecycle().run(_serve(settings, functions, port))
    except SemantikError as error:
        print(f"{_PROG}: {error}", file=sys.stderr)
        return FAILED if isinstance(error, Unavailable) else USAGE_ERROR


async def _serve(settings: Settings, functions: WorkerFunctions | None, port: int) -> int:
    from pipeline.remote.with_cluster import MISSING

    try:
        from pipeline.remote.worker import serve
    except ModuleNotFoundError as error:
        raise ConfigError(MISSING) from error
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    await serve(settings, _say_connected, functions, port)
    return 0


def _say_connected(address: str) -> None:
    print(f"Semantik's worker is ready: {address}", flush=True)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=_PROG,
        epilog=EXIT_STATUS,
        description="Read files, recognise pages and embed for Semantik's servers, on another machine. It needs the "
        "extra dask; docs/how-to/remote-workers.md explains it. Settings are those of semantik-server.",
    )
    made.add_argument("--version", action="version", version=f"semantik {__version__}")
    made.add_argument(
        "--config", type=Path, metavar="FILE", help="a configuration file [that of SEMANTIK_CONFIG]"
    )
    made.add_argument(
        "--listen-port",
        type=_port,
        default=0,
        metavar="PORT",
        help="the port at which the scheduler reaches this worker [any]",
    )
    for entry in entries():
        if entry.name == "data" or entry.name.startswith(_SECTIONS):
            made.add_argument(entry.flag, dest=entry.name, metavar="VALUE", help=_help(entry))
    return made


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= _MAX_PORT:
        raise argparse.ArgumentTypeError(f"a number from 0 to {_MAX_PORT} is expected")
    return port


def _help(entry: Any) -> str:
    if entry.name == "data":
        return "The folder of the worker's unpacked models and of the cluster's temporary files."
    return f"{entry.doc} [{entry.default}]".replace("%", "%%")
