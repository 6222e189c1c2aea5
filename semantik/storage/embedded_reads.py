"""Answers the reads of searches directly from the SQLite files of the embedded MongoDB, in its process.

NeoSQLite would take longer, or answer wrongly. Runs in the threads of the embedded store's process; of the project it
imports `embedded_requests` alone.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from semantik.storage.embedded_requests import (
    MembersRequest,
    PageRequest,
    ReadRequest,
    members_request,
    page_request,
    read_request,
)

_MAX_ANSWER_BYTES = 40 << 20  # rows in one answer; a message has 48 MB at most
_INTERNAL_ERROR = 1  # MongoDB's error code
_SPECIAL = ('"__neosqlite_', '"$date"')  # the names in objects that stand for other types


class _LimitExceeded(Exception):
    """The rows do not fit into one answer."""


class FastReadHandler:
    """Answers the reads of a search directly from SQLite: rows by their keys; rows by their keys joined with the rows
    of another table ($lookup, which NeoSQLite answers wrongly) and followed by rows of a third table; and some fields
    of a page of rows, for which NeoSQLite would load the whole rows. All other commands go to `handler`.
    """

    def __init__(self, handler: Any, folder: str) -> None:
        import bson
        from bson.raw_bson import RawBSONDocument
        from neosqlite.collection.json_helpers import neosqlite_json_loads

        self._encode, self._raw = bson.encode, RawBSONDocument
        self._load_special = neosqlite_json_loads
        self._folder = folder
        self._thread_local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._fallback = handler.handle_command
        handler.handle_command = self.handle_command

    def close(self) -> None:
        for each in self._connections:
            each.close()

    def handle_command(self, message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The answer to a message, with the request's id, as NeoSQLite's handler returns it; called in threads."""
        request = read_request(message) or page_request(message) or members_request(message)
        try:
            rows = None if request is None else self._rows(request)
        except _LimitExceeded:
            rows = None
        except sqlite3.Error as error:
            if "no such table" in str(error) or "unable to open" in str(error):  # nothing was written yet
                return self._delegate(message)
            # No fallback here: NeoSQLite answers a $lookup wrongly where a row is missing.
            self._thread_local.__dict__.clear()  # the connection may be within a transaction
            logging.getLogger(__name__).warning("reading by keys failed: %s", error)
            return message["request_id"], {"ok": 0.0, "errmsg": f"{error}", "code": _INTERNAL_ERROR}
        if request is None or rows is None:  # too many rows are sent in several answers
            return self._delegate(message)
        namespace = f"{request.database}.{request.table}"
        # Encoded here: nx-27017 would otherwise search every field of each row for types that need conversion.
        batch = [self._raw(self._encode(row)) for row in rows]
        return message["request_id"], {"cursor": {"firstBatch": batch, "id": 0, "ns": namespace}, "ok": 1.0}

    def _delegate(self, message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        result: tuple[int, dict[str, Any]] = self._fallback(message)
        return result

    def _rows(self, request: ReadRequest | PageRequest | MembersRequest) -> list[dict[str, Any]]:
        """Raises _LimitExceeded, sqlite3.Error."""
        connection = self._connection(request.database)
        if not isinstance(request, ReadRequest):
            return self._columns(connection.execute(request.sql, request.values).fetchall(), request.columns)
        if not request.lookup_table:
            return self._select(connection, request.table, request.keys)
        connection.execute("BEGIN")  # all rows as of the same moment
        try:
            rows = self._select(connection, request.table, request.keys, request.omit)
            joined = self._select(
                connection, request.lookup_table, list({row[request.field] for row in rows})
            )
            union = self._select(connection, request.union_table, request.union_keys)
        finally:
            connection.execute("COMMIT")
        by_key = {row["_id"]: row for row in joined}
        for row in rows:
            match = by_key.get(row[request.field])
            row[request.name] = [] if match is None else [match]
        return rows + union

    def _select(
        self, connection: sqlite3.Connection, table: str, keys: Sequence[str], omit: str = ""
    ) -> list[dict[str, Any]]:
        if not keys:
            return []
        data = f"json_remove(data, '$.{omit}')" if omit else "data"
        select = f'SELECT {data} FROM "{table}" WHERE _id IN (SELECT value FROM json_each(?))'
        return self._loaded(connection.execute(select, (json.dumps(keys),)).fetchall())

    def _loaded(self, found: Sequence[tuple[str]]) -> list[dict[str, Any]]:
        if sum(len(data) for (data,) in found) > _MAX_ANSWER_BYTES:
            raise _LimitExceeded
        return [self._load(data) for (data,) in found]

    def _load(self, data: str) -> Any:
        """The row that NeoSQLite has stored as `data`; without its look at every object where none is special."""
        return self._load_special(data) if any(mark in data for mark in _SPECIAL) else json.loads(data)

    def _columns(self, found: Sequence[tuple[str]], columns: Sequence[str]) -> list[dict[str, Any]]:
        """The rows, of which only `columns` and the key were selected; whole rows where there are none."""
        rows, names = self._loaded(found), (*columns, "_id")
        return [dict(zip(names, row, strict=True)) for row in rows] if columns else rows

    def _connection(self, database: str) -> sqlite3.Connection:
        """The connection of this thread."""
        opened: dict[str, sqlite3.Connection] = self._thread_local.__dict__
        if database not in opened:
            # "rw": only a connection that may write removes SQLite's write-ahead log when it is the last to be closed.
            path = f"file:{quote(self._folder)}/{database}.db?mode=rw"
            opened[database] = sqlite3.connect(path, uri=True, isolation_level=None, check_same_thread=False)
            self._connections.append(opened[database])
        return opened[database]
