"""`semantik-backup`: backs up the embedded MongoDB to a file, also while a server runs; restores it while none does."""

from __future__ import annotations

import argparse
import asyncio
import os
import pwd
import signal
import sqlite3
import sys
from pathlib import Path

from semantik.commands.cli_common import EXIT_STATUS, FAILED, USAGE_ERROR
from semantik.config.loader import load
from semantik.config.settings import Settings
from semantik.core.errors import ConfigError, SemantikError
from semantik.storage import backup, uploads_backup
from semantik.storage.data_folder import data_lock

_MIB = 1 << 20


def main(argv: list[str]) -> int:
    """Back up or restore, and return the exit status: 0 done, 1 failed, 2 usage error."""
    arguments = parser().parse_args(argv)
    # As exceptions, so that an interrupted back-up or restore removes its temporary files.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        overrides = {} if arguments.data is None else {"data": arguments.data}
        settings = load(arguments.config, overrides=overrides)
        _check_allowed(settings)
        if arguments.restore:
            asyncio.run(_restore(settings, arguments.file, arguments.force, arguments.uploads))
            print(f"Restored from {arguments.file}; the server can be started.")
        else:
            source = backup.database_path(settings.data, settings.mongo_database)
            size = backup.backup(source, arguments.file, arguments.force)
            print(f"Backed up to {arguments.file}: {size / _MIB:.1f} MiB.")
            if arguments.uploads:
                # After the database: what it names stays for an hour at least, even if it is removed meanwhile.
                files, size = uploads_backup.backup(
                    settings.data, _uploads_file(arguments.file), arguments.force
                )
                print(
                    f"Backed up {files} uploaded files to {_uploads_file(arguments.file)}: {size / _MIB:.1f} MiB."
                )
        return 0
    except (SemantikError, sqlite3.Error) as error:
        print(f"semantik-backup: {error}", file=sys.stderr)
        return USAGE_ERROR if isinstance(error, ConfigError) else FAILED
    except OSError as error:
        print(f"semantik-backup: {error.strerror} ({error.filename or arguments.file}).", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("semantik-backup: interrupted; nothing was written.", file=sys.stderr)
        return FAILED


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="semantik-backup",
        epilog=EXIT_STATUS,
        description="Back up Semantik's embedded MongoDB to one file, also while the server runs; "
        "with --restore, restore such a file while no server runs. See docs/how-to/run-as-a-service.md.",
    )
    made.add_argument("file", type=Path, metavar="FILE", help="the back-up file")
    made.add_argument("--restore", action="store_true", help="restore FILE instead of writing it")
    made.add_argument("--force", action="store_true", help="replace an existing file or database")
    made.add_argument(
        "--uploads", action="store_true", help="also back up, or restore, uploaded files: in FILE.uploads.tar"
    )
    made.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the server's configuration file [the one that SEMANTIK_CONFIG names]",
    )
    made.add_argument("--data", metavar="FOLDER", help="the server's data folder")
    return made


def _check_allowed(settings: Settings) -> None:
    """Raises ConfigError when mongo_url is set, and for a user whose files the server could not read."""
    if settings.mongo_url:
        raise ConfigError(
            "mongo_url names a MongoDB of your own: `mongodump --oplog` backs it up, and `mongorestore --oplogReplay` "
            "restores it."
        )
    if settings.data.exists() and (owner := settings.data.stat().st_uid) != os.geteuid():
        raise ConfigError(
            f"{settings.data} belongs to {_user(owner)}: run this as that user, for example with sudo -u."
        )


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"the user {number}"


def _uploads_file(file: Path) -> Path:
    return file.with_name(f"{file.name}.uploads.tar")


async def _restore(settings: Settings, source: Path, force: bool, uploads: bool) -> None:
    for file in (source, _uploads_file(source)) if uploads else (source,):
        if not file.is_file():
            raise FileNotFoundError(2, "There is no such file", str(file))
    async with data_lock(settings.data):
        if uploads:  # first: files that no upload names do no harm
            uploads_backup.restore(_uploads_file(source), settings.data)
        backup.restore(source, settings.data, settings.mongo_database, force)
        if settings.redis_url:
            print(
                "The Redis of redis_url holds messages from after this back-up: delete the keys operation-progress*."
            )
