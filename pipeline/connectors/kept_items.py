"""The items of one source that are kept on this server's disk: files, and an SQLite file that lists them.

A cache: what is lost is fetched again. A file is in its place before the list has it, and the cursor is saved with
the last change of a scan, so a crash at any point loses nothing but the last items, which are fetched again.
Blocks: call it in a thread, from one at a time.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from pipeline.connectors.protocol import KeptItem
from semantik.core.kept_files import kept_file
from semantik.core.scan_entries import FolderListing

_SCHEMA = 1
_LIST = "items.sqlite"
_INCOMING = "incoming"
_COMMIT_S = 1.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CREATE = """
CREATE TABLE IF NOT EXISTS items (
    folder TEXT, name TEXT, size INTEGER, modified_ns INTEGER, revision TEXT, origin TEXT, state TEXT, listed INTEGER,
    PRIMARY KEY (folder, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""


class KeptItems:
    """The kept items of the source whose address is `address`. `fingerprint` stands for its options: with others the
    cursor is forgotten. Use as `with KeptItems(...)`."""

    def __init__(self, folder: Path, address: str, fingerprint: str = "") -> None:
        self.folder = folder
        self._address = address
        self._fingerprint = fingerprint
        self._committed_at = time.monotonic()
        self._changed = False

    def __enter__(self) -> KeptItems:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "work").mkdir(mode=0o700, exist_ok=True)
        self._database = self._opened()
        self._recover()
        self._sweep()
        row = self._database.execute("SELECT COALESCE(MAX(listed), 0), COALESCE(SUM(size), 0) FROM items")
        run, self.bytes = row.fetchone()
        self._run = run + 1
        return self

    def __exit__(self, *_: object) -> None:
        self.commit()
        self._database.close()

    @property
    def work(self) -> Path:
        """The connector's own folder."""
        return self.folder / "work"

    @property
    def cursor(self) -> str:
        """The cursor of the last complete scan with the same options; "" if there was none."""
        return self._meta("cursor") if self._meta("fingerprint") == self._fingerprint else ""

    def known(self) -> dict[str, KeptItem]:
        """All items by name."""
        rows = self._database.execute("SELECT folder, name, revision, state FROM items")
        return {_join(folder, name): KeptItem(revision, state) for folder, name, revision, state in rows}

    def spool(self) -> BinaryIO:
        """A new file for the content of an item."""
        return (self.folder / _INCOMING).open("w+b")

    def put(
        self, name: str, size: int, modified_ns: int, revision: str, origin: Mapping[str, str], state: str
    ) -> None:
        """Keep what was written to the last `spool` as the item `name`."""
        self._begin_change()
        folder, last = _split(name)
        before = self._size(folder, last)
        if before is not None:  # until the list has it, the new content must not pass for the old revision
            where = "WHERE folder = ? AND name = ?"
            self._database.execute(f"UPDATE items SET revision = '' {where}", (folder, last))
            self.commit()
        path = kept_file(self.folder, f"{self._address}/{name}")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        incoming = self.folder / _INCOMING
        os.utime(
            incoming, ns=(modified_ns, modified_ns)
        )  # as the document has it: a later read compares them
        incoming.replace(path)
        row = (folder, last, size, modified_ns, revision, json.dumps(dict(origin)), state, self._run)
        self._database.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        self.bytes += size - (before or 0)
        self._commit_sometimes()

    def touch(self, names: Sequence[str]) -> None:
        """The items are listed, and what is kept of them stays."""
        update = "UPDATE items SET listed = ? WHERE folder = ? AND name = ?"
        self._database.executemany(update, [(self._run, *_split(name)) for name in names])
        self._commit_sometimes()

    def remove(self, name: str) -> None:
        """Remove an item, if it is kept."""
        self._begin_change()
        folder, last = _split(name)
        self.bytes -= self._size(folder, last) or 0
        kept_file(self.folder, f"{self._address}/{name}").unlink(missing_ok=True)
        self._database.execute("DELETE FROM items WHERE folder = ? AND name = ?", (folder, last))

    def finish(self, cursor: str, all_listed: bool) -> int:
        """The scan is complete: remove what was not listed if all was, and save the cursor. Returns the number
        removed.
        """
        gone = []
        if all_listed:
            rows = self._database.execute("SELECT folder, name FROM items WHERE listed < ?", (self._run,))
            gone = [_join(folder, name) for folder, name in rows]
        for name in gone:
            self.remove(name)
        done = {"cursor": cursor, "fingerprint": self._fingerprint, "complete": "1", "clean": "1"}
        for key, value in done.items():
            self._set_meta(key, value)
        self.commit()
        return len(gone)

    def commit(self) -> None:
        self._database.commit()
        self._committed_at = time.monotonic()

    def _opened(self) -> sqlite3.Connection:
        path = self.folder / _LIST
        try:
            return _database(path)
        except sqlite3.DatabaseError:  # damaged, or of another version: all is fetched again
            shutil.rmtree(self.folder / "files", ignore_errors=True)
            for each in self.folder.glob(f"{_LIST}*"):
                each.unlink()
            return _database(path)

    def _recover(self) -> None:
        """After a power failure files may be shorter than the list says: these are fetched again.

        What the connector was writing then may be damaged: it begins anew.
        """
        boot = _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.exists() else ""
        if self._meta("boot") == boot:
            return
        if self._meta("clean") != "1":
            shutil.rmtree(self.work)
            self.work.mkdir(mode=0o700)
        for folder, name, size in self._database.execute("SELECT folder, name, size FROM items").fetchall():
            path = kept_file(self.folder, f"{self._address}/{_join(folder, name)}")
            if not path.is_file() or path.stat().st_size != size:
                self.remove(_join(folder, name))
        self._set_meta("boot", boot)
        self.commit()

    def _sweep(self) -> None:
        """After a crash there may be files that the list does not have, and whose items may be gone: remove them."""
        if self._meta("clean") == "1":
            return
        listed = {kept_file(self.folder, f"{self._address}/{name}") for name in self.known()}
        for path in (self.folder / "files").glob("*/*"):
            if path not in listed:
                path.unlink()

    def _begin_change(self) -> None:
        """Forget the cursor until the scan is complete: half of a new state is neither the old nor the new."""
        if not self._changed:
            self._changed = True
            self._set_meta("cursor", "")
            self._set_meta("clean", "")
            self.commit()

    def _size(self, folder: str, name: str) -> int | None:
        row = self._database.execute(
            "SELECT size FROM items WHERE folder = ? AND name = ?", (folder, name)
        ).fetchone()
        return int(row[0]) if row else None

    def _meta(self, key: str) -> str:
        row = self._database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def _set_meta(self, key: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _commit_sometimes(self) -> None:
        if time.monotonic() - self._committed_at >= _COMMIT_S:
            self.commit()


def kept_listings(folder: Path, address: str) -> Iterator[FolderListing]:
    """The kept files of a source as folders below its address, in a fixed order."""
    with closing(_database(folder / _LIST)) as database:
        rows = database.execute(
            "SELECT folder, name, size, modified_ns, origin FROM items ORDER BY folder, name"
        )
        for name, group in groupby(rows, key=lambda row: row[0]):
            files, origins = [], {}
            for _, file, size, modified_ns, origin in group:
                files.append((file, size, modified_ns))
                origins[file] = json.loads(origin)
            yield FolderListing(f"{address}/{name}" if name else address, files, [], origins)


def is_complete(folder: Path) -> bool:
    """Whether a scan of the source has ever been complete on this server."""
    path = folder / _LIST
    if not path.is_file():
        return False
    try:
        with closing(_database(path)) as database:
            row = database.execute("SELECT value FROM meta WHERE key = 'complete'").fetchone()
            return row is not None
    except sqlite3.DatabaseError:  # the next scan makes it anew
        return False


def _database(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False)
    try:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _SCHEMA):
            raise sqlite3.DatabaseError(f"version {version}")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(_CREATE)
        database.execute(f"PRAGMA user_version = {_SCHEMA}")
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def _split(name: str) -> tuple[str, str]:
    folder, _, last = name.rpartition("/")
    return folder, last


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
