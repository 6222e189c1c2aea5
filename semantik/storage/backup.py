"""A back-up of the embedded MongoDB in one file: taken while the server runs, put back while none does.

The file is the SQLite database as it was at one moment, marked as ours, and packed with gzip, whose checksum tells
damage. Runs in a command of its own, where it may block; must not know the server.
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

_OURS = 0x53454D4B  # SQLite's application_id: SEMK
_PACKED = 1  # gzip's fastest: it halves a database, and is not slower than most disks
_BUSY_S = 30.0
_STEP_BYTES = 1 << 20
_CACHES = ("index", "redis")  # the folders that a server makes anew


def database(data: Path, name: str) -> Path:
    """Where the embedded MongoDB keeps the database `name`."""
    return data / "mongo" / f"{name}.db"


def backup(source: Path, target: Path, force: bool) -> int:
    """Write the database as it is now to the file `target`, whole or not at all; returns its bytes.

    Raises NotFound without a database, Conflict when the file exists already (unless `force`), Unavailable when the
    database cannot be read, OSError.
    """
    if not source.is_file():
        raise NotFound(
            f"There is nothing to back up: {source} does not exist. Name the data folder with --data."
        )
    if target.exists() and not force:
        raise Conflict(f"{target} exists already; choose another name, or overwrite it with --force.")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".semantik-backup-") as beside:
        whole, packed = Path(beside) / "whole", Path(beside) / "packed"
        try:
            with closing(_opened(source)) as running, closing(sqlite3.connect(whole)) as copy:
                running.backup(copy)  # in one step, so that it is of one moment; nobody has to wait for it
                copy.execute(f"PRAGMA application_id = {_OURS}")
                copy.execute("PRAGMA journal_mode = DELETE")  # all in this one file
        except sqlite3.Error as error:  # a folder that cannot be written, a full disk, a damaged database
            raise Unavailable(
                f"The database {source} cannot be copied to {whole.parent}: {error}."
            ) from error
        with whole.open("rb") as plain, packed.open("xb") as out:
            with gzip.GzipFile("", "wb", _PACKED, out) as pack:
                shutil.copyfileobj(plain, pack, _STEP_BYTES)
            out.flush()
            os.fsync(out.fileno())
        packed.chmod(0o600)
        packed.replace(target)
    _replace(target.parent)
    return target.stat().st_size


def restore(source: Path, data: Path, name: str, force: bool) -> None:
    """Make the back-up `source` the database `name` of the data folder, whose lock the caller holds.

    It is read through before anything is replaced. The caches go first: they may know more than the database then
    does. Raises Invalid for a file that is none of ours or damaged, Conflict when there is a database already
    (unless `force`), OSError.
    """
    target = database(data, name)
    if target.exists() and not force:
        raise Conflict(f"{target} exists already; replace it with --force.")
    target.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = target.with_suffix(".db.new")
    try:
        _unpack(source, fresh)
        _check(fresh, source)
        for cache in _CACHES:
            if (data / cache).exists():
                shutil.rmtree(data / cache)
        _vacuum(target)
        fresh.replace(target)
        _replace(target.parent)
    finally:
        for left in (fresh, fresh.with_name(fresh.name + "-journal")):
            left.unlink(missing_ok=True)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=rw", timeout=_BUSY_S, uri=True)


def _unpack(source: Path, target: Path) -> None:
    try:
        with gzip.open(source) as packed, target.open("wb") as out:
            target.chmod(0o600)
            shutil.copyfileobj(packed, out, _STEP_BYTES)
            out.flush()
            os.fsync(out.fileno())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _integrity_error(source, str(error)) from error


def _check(unpacked: Path, source: Path) -> None:
    try:
        with closing(_opened(unpacked)) as found:
            (mark,) = found.execute("PRAGMA application_id").fetchone()
            (state,) = found.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise _integrity_error(source, str(error)) from error
    if mark != _OURS:
        raise _integrity_error(source, "another program's database")
    if state != "ok":
        raise _integrity_error(source, state)


def _vacuum(path: Path) -> None:
    """Leave nothing of the old database beside its file, where the new one would take it for its own."""
    if path.exists():
        # A damaged one is replaced all the same.
        with suppress(sqlite3.DatabaseError), closing(_opened(path)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)


def _replace(folder: Path) -> None:
    """See to it that a power failure does not undo what was renamed there."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _integrity_error(source: Path, why: str) -> Invalid:
    return Invalid(
        f"{source} is no back-up of Semantik, or it is damaged ({' '.join(why.split())}); nothing was changed."
    )
