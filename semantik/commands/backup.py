"""`semantik-backup`: backs up the database to one file, also while a server runs; restores it while none does.

The embedded MongoDB is copied; of one's own, MongoDB's tools make and restore the file.
"""

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
from semantik.core.errors import ConfigError, Conflict, Invalid, SemantikError
from semantik.core.models import now
from semantik.storage import backup, mongo_tools, uploads_backup
from semantik.storage.data_folder import data_lock
from semantik.storage.mongo import Store

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
        if settings.mongo_url:
            _with_tools(settings, arguments)
            return 0
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
        description="Back up Semantik's MongoDB to one file, also while the server runs; "
        "with --restore, restore such a file while no server runs. See docs/how-to/run-as-a-service.md. "
        "A MongoDB of your own (mongo_url) needs MongoDB's Database Tools on this machine.",
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


def _with_tools(settings: Settings, arguments: argparse.Namespace) -> None:
    """Back up, or restore, a MongoDB of one's own. Raises ConfigError, Conflict, NotFound, Unavailable."""
    if arguments.uploads:
        raise ConfigError("--uploads is not needed with mongo_url: the uploaded files are in that MongoDB.")
    where = (settings.mongo_url, settings.mongo_database)
    if not arguments.restore:
        size = mongo_tools.dump(*where, arguments.file, arguments.force)
        print(f"Backed up to {arguments.file}: {size / _MIB:.1f} MiB.")
        return
    mongo_tools.find_tool("mongorestore", *where, arguments.file)
    asyncio.run(_check_unused(settings, arguments.force))
    mongo_tools.load(*where, arguments.file, arguments.force)
    if asyncio.run(_is_empty(settings)):
        raise Invalid(f"{arguments.file} has no database {settings.mongo_database}; nothing was restored.")
    print(
        f"Restored from {arguments.file}. Before a server is started, delete the keys operation-progress* in Redis, "
        "and the folders index and keywords in the data folder of each server."
    )


async def _check_unused(settings: Settings, force: bool) -> None:
    """Raises Conflict while a server runs, and when there is a database (unless `force`)."""
    store = Store(settings.mongo_url, settings.mongo_database)
    try:
        alive = [one for one in await store.instances.all() if not one.is_silent(now())]
        if alive:
            raise Conflict(f"The server {alive[0].url} on {alive[0].host} runs; stop it first.")
        if not force and not await store.is_empty():
            raise Conflict(f"The database {settings.mongo_database} exists already; replace it with --force.")
    finally:
        await store.close()


async def _is_empty(settings: Settings) -> bool:
    store = Store(settings.mongo_url, settings.mongo_database)
    try:
        return await store.is_empty()
    finally:
        await store.close()


def _check_allowed(settings: Settings) -> None:
    """Raises ConfigError for a user whose files the server could not read."""
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
