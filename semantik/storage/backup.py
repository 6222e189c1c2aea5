"""A back-up of the embedded MongoDB in one file: made while a server runs, restored while none does.

The file is the SQLite database as of one moment, marked with an application id and compressed with gzip, whose checksum
reveals damage. Runs in a command of its own, where it may block; must not know the server.
"""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import tempfile
import zlib
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from semantik.core.errors import Conflict, Invalid, NotFound, Unavailable

_APPLICATION_ID = 0x53454D4B  # SEMK, in SQLite's header
_GZIP_LEVEL = 1  # the fastest: it halves a database, and is not slower than most disks
_BUSY_S = 30.0
_COPY_BYTES = 1 << 20
_CACHE_FOLDERS = ("index", "keywords", "redis")  # a server creates them again


def database_path(data: Path, name: str) -> Path:
    """Where the embedded MongoDB keeps the database `name`."""
    return data / "mongo" / f"{name}.db"


def backup(source: Path, target: Path, force: bool) -> int:
    """Write the database as it is now to the file `target`, completely or not at all; returns the file's bytes.

    Raises NotFound without a database, Conflict when the file exists already (unless `force`), Unavailable when the
    database cannot be read, OSError.
    """
    if not source.is_file():
        raise NotFound(
            f"There is nothing to back up: {source} does not exist. Name the data folder with --data."
        )
    if target.exists() and not force:
        raise Conflict(f"{target} exists already; choose another name, or overwrite it with --force.")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".semantik-backup-") as folder:
        copied, compressed = Path(folder) / "copied", Path(folder) / "compressed"
        try:
            with closing(_connect(source)) as running, closing(sqlite3.connect(copied)) as copy:
                running.backup(copy)  # in one step, so that it is of one moment; no writer waits for it
                copy.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                copy.execute("PRAGMA journal_mode = DELETE")  # everything in this one file
        except sqlite3.Error as error:  # a folder that cannot be written, a full disk, a damaged database
            raise Unavailable(
                f"The database {source} cannot be copied to {copied.parent}: {error}."
            ) from error
        with copied.open("rb") as plain, compressed.open("xb") as out:
            with gzip.GzipFile("", "wb", _GZIP_LEVEL, out) as archive:
                shutil.copyfileobj(plain, archive, _COPY_BYTES)
            out.flush()
            os.fsync(out.fileno())
        compressed.chmod(0o600)
        compressed.replace(target)
    _fsync_folder(target.parent)
    return target.stat().st_size


def restore(source: Path, data: Path, name: str, force: bool) -> None:
    """Make the back-up `source` the database `name` of the data folder, whose lock the caller holds.

    The back-up is verified before anything is replaced. The caches are removed first: they may contain more than the
    restored database. Raises Invalid for a file that is no back-up or damaged, Conflict when there is a database
    already (unless `force`), OSError.
    """
    target = database_path(data, name)
    if target.exists() and not force:
        raise Conflict(f"{target} exists already; replace it with --force.")
    target.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = target.with_suffix(".db.new")
    try:
        _unpack(source, fresh)
        _verify(fresh, source)
        for cache in _CACHE_FOLDERS:
            if (data / cache).exists():
                shutil.rmtree(data / cache)
        _remove_write_ahead_log(target)
        fresh.replace(target)
        _fsync_folder(target.parent)
    finally:
        for leftover in (fresh, fresh.with_name(fresh.name + "-journal")):
            leftover.unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=rw", timeout=_BUSY_S, uri=True)


def _unpack(source: Path, target: Path) -> None:
    try:
        with gzip.open(source) as packed, target.open("wb") as out:
            target.chmod(0o600)
            shutil.copyfileobj(packed, out, _COPY_BYTES)
            out.flush()
            os.fsync(out.fileno())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _not_a_backup(source, str(error)) from error


def _verify(unpacked: Path, source: Path) -> None:
    try:
        with closing(_connect(unpacked)) as database:
            (application_id,) = database.execute("PRAGMA application_id").fetchone()
            (state,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise _not_a_backup(source, str(error)) from error
    if application_id != _APPLICATION_ID:
        raise _not_a_backup(source, "another program's database")
    if state != "ok":
        raise _not_a_backup(source, state)


def _remove_write_ahead_log(path: Path) -> None:
    """Remove the old database's log files: SQLite would apply them to the new database."""
    if path.exists():
        # A damaged database is replaced all the same.
        with suppress(sqlite3.DatabaseError), closing(_connect(path)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)


def _fsync_folder(folder: Path) -> None:
    """Make a rename in the folder durable: a power failure does not undo it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _not_a_backup(source: Path, why: str) -> Invalid:
    return Invalid(
        f"{source} is no back-up of Semantik, or it is damaged ({' '.join(why.split())}); nothing was changed."
    )
