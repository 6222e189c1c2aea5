"""`semantik-backup`: back up the embedded MongoDB to one file while the server runs, or restore it while none does."""

from __future__ import annotations

import argparse
import asyncio
import os
import pwd
import signal
import sqlite3
import sys
from pathlib import Path

from semantik.config.loader import load
from semantik.config.settings import Settings
from semantik.core.errors import ConfigError, SemantikError
from semantik.storage import backup
from semantik.storage.data_folder import data_lock

_COULD_NOT, _BAD_USAGE = 1, 2
_MIB = 1 << 20


def main(argv: list[str]) -> int:
    """Back up or restore; returns the exit status: 0, 1 when it could not be done, 2 for misuse."""
    arguments = _parser().parse_args(argv)
    # What was begun is tidied up, whoever ends it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        given = {} if arguments.data is None else {"data": arguments.data}
        settings = load(arguments.config, overrides=given)
        _refuse_others(settings)
        if arguments.restore:
            asyncio.run(_restore(settings, arguments.file, arguments.force))
            print(f"Restored from {arguments.file}; the server can be started.")
        else:
            source = backup.database_path(settings.data, settings.mongo_database)
            size = backup.backup(source, arguments.file, arguments.force)
            print(f"Backed up to {arguments.file}: {size / _MIB:.1f} MiB.")
        return 0
    except (SemantikError, sqlite3.Error) as error:
        print(f"semantik-backup: {error}", file=sys.stderr)
        return _BAD_USAGE if isinstance(error, ConfigError) else _COULD_NOT
    except OSError as error:
        print(f"semantik-backup: {error.strerror} ({error.filename or arguments.file}).", file=sys.stderr)
        return _COULD_NOT
    except KeyboardInterrupt:
        print("semantik-backup: ended early; nothing was written.", file=sys.stderr)
        return _COULD_NOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="semantik-backup",
        description="Write all that Semantik's embedded MongoDB holds to one file, also while the server runs; "
        "with --restore, put such a file back while no server runs. docs/how-to/run-as-a-service.md tells more.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the back-up")
    parser.add_argument("--restore", action="store_true", help="put FILE back instead of writing it")
    parser.add_argument("--force", action="store_true", help="replace what is there already")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the server's configuration file [the one that SEMANTIK_CONFIG names]",
    )
    parser.add_argument("--data", metavar="FOLDER", help="the server's data folder")
    return parser


def _refuse_others(settings: Settings) -> None:
    """Raise ConfigError for what is not ours to copy, and for a user whose files the server could not read."""
    if settings.mongo_url:
        raise ConfigError(
            "mongo_url names a MongoDB of your own: `mongodump --oplog` backs it up, and `mongorestore --oplogReplay` "
            "restores it."
        )
    if settings.data.exists() and (owner := settings.data.stat().st_uid) != os.geteuid():
        raise ConfigError(
            f"{settings.data} belongs to {_user(owner)}: run this as that user, as with sudo -u."
        )


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"the user {number}"


async def _restore(settings: Settings, source: Path, force: bool) -> None:
    if not source.is_file():
        raise FileNotFoundError(2, "There is no such file", str(source))
    async with data_lock(settings.data):
        backup.restore(source, settings.data, settings.mongo_database, force)
        if settings.redis_url:
            print(
                "The Redis of redis_url has a history that is not of this back-up: delete operation-progress*."
            )
