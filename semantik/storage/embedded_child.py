"""The first code of an embedded store's process: it ties the process to its server, then becomes the store.

Run as a script by `semantik/storage/embedded.py`, and imports nothing of the project:
    embedded_child.py SERVER_PID redis PROGRAM ARGUMENT...
    embedded_child.py SERVER_PID mongo FOLDER SOCKET
    embedded_child.py SERVER_PID mongo-reads FOLDER SOCKET
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import json
import logging
import os
import re
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_PR_SET_PDEATHSIG = 1
_READ_BUFFER_BYTES = 1 << 20
_NICENESS = 5  # of the one that writes
_MOST_AT_ONCE = 40 << 20  # bytes of rows in one answer; a message has 48 MB at most
_BASE = re.compile(r"[A-Za-z0-9_-]{1,63}")
_INTERNAL_ERROR = 1  # as MongoDB numbers it
_OF_FIND = {"find", "filter", "batchSize", "lsid", "$db", "$readPreference"}
_OF_LOOKUP = {"from", "localField", "foreignField", "as"}


def _die_with_parent(server: int) -> None:
    """Have the kernel kill this process when its server ends, however it ends; exec keeps that."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # A server that ended before the call above sends no signal any more.
    if os.getppid() != server:
        raise SystemExit(f"The server with process id {server} has ended.")


class _LimitExceeded(Exception):
    """The rows do not fit into one answer."""


@dataclass(frozen=True)
class _ReadRequest:
    """The rows of `table` with these keys, without a field; as `name` with each, the row of `other` that its `field`
    names, if any; and then the rows of `beside` with the keys `beside_keys`."""

    base: str
    table: str
    keys: Sequence[str]
    without: str = ""
    other: str = ""
    field: str = ""
    name: str = ""
    beside: str = ""
    beside_keys: Sequence[str] = ()

    @property
    def sound(self) -> bool:
        """Whether its names and keys can be put into a statement."""
        names = [each for each in (self.table, self.without, self.other, self.beside) if each]
        return (
            all(each.isidentifier() for each in names)
            and _BASE.fullmatch(self.base) is not None
            and all(isinstance(key, str) for key in (*self.keys, *self.beside_keys))
        )


def _read_request(message: dict[str, Any]) -> _ReadRequest | None:
    """What a message asks for; None where it is anything else."""
    try:
        command = message["sections"][0][1]
        if command.keys() <= _OF_FIND:
            wanted = _ReadRequest(command["$db"], command["find"], _keys(command["filter"]))
        else:
            match, unset, lookup, union = command["pipeline"]
            theirs, beside = lookup["$lookup"], union["$unionWith"]
            (their_match,) = beside["pipeline"]
            if theirs.keys() != _OF_LOOKUP or theirs["foreignField"] != "_id":
                return None
            wanted = _ReadRequest(
                command["$db"],
                command["aggregate"],
                _keys(match["$match"]),
                unset["$unset"],
                theirs["from"],
                theirs["localField"],
                theirs["as"],
                beside["coll"],
                _keys(their_match["$match"]),
            )
        return wanted if wanted.sound else None
    except (LookupError, TypeError, ValueError, AttributeError):  # its shape is another
        return None


def _keys(filter_: dict[str, Any]) -> list[str]:
    """Those of a filter that says nothing else; raises ValueError, LookupError or AttributeError."""
    ((name, condition),) = filter_.items()
    ((operator, keys),) = condition.items()
    if (name, operator) != ("_id", "$in") or not isinstance(keys, list):
        raise ValueError
    return keys


class _FastReadHandler:
    """Answers the two questions of a search straight from SQLite: which rows have these keys, and that, with the row of
    another table that a field of each names ($lookup, which NeoSQLite gets wrong), and with rows of a third table. All
    else goes to `handler`.
    """

    def __init__(self, handler: Any, folder: str) -> None:
        import bson
        from bson.raw_bson import RawBSONDocument
        from neosqlite.collection.json_helpers import neosqlite_json_loads

        self._encode, self._raw = bson.encode, RawBSONDocument
        self._load = neosqlite_json_loads
        self._folder = folder
        self._here = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._others = handler.handle_command
        handler.handle_command = self.handle_command

    def close(self) -> None:
        for each in self._connections:
            each.close()

    def handle_command(self, message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The answer to a message, with its number, as NeoSQLite's handler gives it; called in threads."""
        wanted = _read_request(message)
        try:
            rows = None if wanted is None else self._rows(wanted)
        except _LimitExceeded:
            rows = None
        except sqlite3.Error as error:
            if "no such table" in str(error) or "unable to open" in str(error):  # there is nothing yet
                return self._by_others(message)
            # NeoSQLite would answer a $lookup wrongly where a row is missing.
            self._here.__dict__.clear()  # the connection may be in the middle of something
            logging.getLogger(__name__).warning("reading by keys failed: %s", error)
            return message["request_id"], {"ok": 0.0, "errmsg": f"{error}", "code": _INTERNAL_ERROR}
        if wanted is None or rows is None:  # rows that are too many come in several answers
            return self._by_others(message)
        space = f"{wanted.base}.{wanted.table}"
        # As they are sent, since nx-27017 would otherwise go through every field of each for what is not there.
        batch = [self._raw(self._encode(row)) for row in rows]
        return message["request_id"], {"cursor": {"firstBatch": batch, "id": 0, "ns": space}, "ok": 1.0}

    def _by_others(self, message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        result: tuple[int, dict[str, Any]] = self._others(message)
        return result

    def _rows(self, wanted: _ReadRequest) -> list[dict[str, Any]]:
        """Raises _TooMuch, sqlite3.Error."""
        connection = self._connection(wanted.base)
        if not wanted.other:
            return self._select(connection, wanted.table, wanted.keys)
        connection.execute("BEGIN")  # all as they were at the same moment
        try:
            rows = self._select(connection, wanted.table, wanted.keys, wanted.without)
            named = self._select(connection, wanted.other, list({row[wanted.field] for row in rows}))
            beside = self._select(connection, wanted.beside, wanted.beside_keys)
        finally:
            connection.execute("COMMIT")
        by_key = {row["_id"]: row for row in named}
        for row in rows:
            other = by_key.get(row[wanted.field])
            row[wanted.name] = [] if other is None else [other]
        return rows + beside

    def _select(
        self, connection: sqlite3.Connection, table: str, keys: Sequence[str], without: str = ""
    ) -> list[dict[str, Any]]:
        if not keys:
            return []
        data = f"json_remove(data, '$.{without}')" if without else "data"
        select = f'SELECT {data} FROM "{table}" WHERE _id IN (SELECT value FROM json_each(?))'
        found = connection.execute(select, (json.dumps(keys),)).fetchall()
        if sum(len(data) for (data,) in found) > _MOST_AT_ONCE:
            raise _LimitExceeded
        return [self._load(data) for (data,) in found]

    def _connection(self, base: str) -> sqlite3.Connection:
        """This thread's."""
        opened: dict[str, sqlite3.Connection] = self._here.__dict__
        if base not in opened:
            # One that may write takes SQLite's log away when it is the last that is closed.
            path = f"file:{quote(self._folder)}/{base}.db?mode=rw"
            opened[base] = sqlite3.connect(path, uri=True, isolation_level=None, check_same_thread=False)
            self._connections.append(opened[base])
        return opened[base]


@contextlib.contextmanager
def _alone(folder: str) -> Iterator[None]:
    """Hold the folder: two that make the same database at the same moment find it locked, without waiting."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


async def _serve_mongo(folder: str, socket: str) -> None:
    """Speak the MongoDB protocol on `socket` until SIGTERM; each database is one SQLite file in `folder`."""
    from nx_27017.handler import NeoSQLiteHandler
    from nx_27017.server import handle_client

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    # At WARNING it tells each aggregation that it runs in Python instead of SQL.
    logging.getLogger("neosqlite").setLevel(logging.ERROR)
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    # One file per database: databases stay apart as in MongoDB, and a ping never waits for a long query.
    with _alone(folder):
        handler = NeoSQLiteHandler(data_dir=folder)
    quick = _FastReadHandler(handler, folder)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Only the stop below cancels; asyncio of Python 3.11 would report it as an error of the callback.
        with contextlib.suppress(asyncio.CancelledError):
            await handle_client(reader, writer, handler)

    server = await asyncio.start_unix_server(serve, socket, limit=_READ_BUFFER_BYTES)
    await stopping.wait()
    server.close()
    for connection in asyncio.all_tasks() - {asyncio.current_task()}:
        connection.cancel()
    # Commands run in threads: the files are closed, and their logs folded in, after the last of them.
    await loop.shutdown_default_executor()
    quick.close()
    handler.close_all()


def main(argv: list[str]) -> None:
    server, store, *rest = argv
    _die_with_parent(int(server))
    if store == "redis":
        os.execv(rest[0], rest)
    if store == "mongo":
        os.nice(_NICENESS)  # thousands of rows that are written must not hold up those that a search reads
    asyncio.run(_serve_mongo(*rest))


if __name__ == "__main__":
    main(sys.argv[1:])
