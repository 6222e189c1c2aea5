"""Answers the reads of searches directly from the SQLite files of the embedded MongoDB, in its process.

NeoSQLite would take longer, or answer wrongly. Runs in the threads of the embedded store's process; imports nothing
else of the project.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_MAX_ANSWER_BYTES = 40 << 20  # rows in one answer; a message has 48 MB at most
_DATABASE_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
_INTERNAL_ERROR = 1  # MongoDB's error code
_FIND_FIELDS = {"find", "filter", "batchSize", "lsid", "$db", "$readPreference"}
_LOOKUP_FIELDS = {"from", "localField", "foreignField", "as"}
_PAGE_FIELDS = _FIND_FIELDS | {"projection", "sort", "limit", "singleBatch"}
_OPERATORS = {"$eq": "=", "$gt": ">"}


class _LimitExceeded(Exception):
    """The rows do not fit into one answer."""


@dataclass(frozen=True)
class _ReadRequest:
    """The rows of `table` with these keys, without the field `omit`. Each has in `name` the row of `lookup_table` whose
    key is its `field`, if there is one. After them come the rows of `union_table` with the keys `union_keys`."""

    database: str
    table: str
    keys: Sequence[str]
    omit: str = ""
    lookup_table: str = ""
    field: str = ""
    name: str = ""
    union_table: str = ""
    union_keys: Sequence[str] = ()

    @property
    def is_safe(self) -> bool:
        """Whether its names can be put into an SQL statement, and its keys are texts."""
        names = [each for each in (self.table, self.omit, self.lookup_table, self.union_table) if each]
        return (
            all(each.isidentifier() for each in names)
            and _DATABASE_NAME.fullmatch(self.database) is not None
            and all(isinstance(key, str) for key in (*self.keys, *self.union_keys))
        )


@dataclass(frozen=True)
class _PageRequest:
    """The fields `columns` of the first `limit` rows of `table` for which all `conditions` hold, (field, SQL operator,
    text or number), in the order of the field `order`. A field that a row does not have is null."""

    database: str
    table: str
    columns: Sequence[str]
    conditions: Sequence[tuple[str, str, str | int]]
    order: str
    limit: int

    @property
    def is_safe(self) -> bool:
        """Whether its names can be put into an SQL statement."""
        names = [self.table, self.order, *self.columns, *(name for name, _, _ in self.conditions)]
        return (
            all(each.isidentifier() for each in names)
            and _DATABASE_NAME.fullmatch(self.database) is not None
            and self.limit > 0
        )

    @property
    def sql(self) -> str:
        fields = ", ".join(f"'$.{name}'" for name in (*self.columns, "_id"))
        where = " AND ".join(f"json_extract(data, '$.{name}') {sign} ?" for name, sign, _ in self.conditions)
        order = f"json_extract(data, '$.{self.order}')"
        select = f"SELECT json_extract(data, {fields})"
        return f'{select} FROM "{self.table}" WHERE {where} ORDER BY {order} LIMIT {self.limit}'


def _page_request(message: dict[str, Any]) -> _PageRequest | None:
    """The page of rows that a message asks for; None when it is any other command."""
    try:
        command = message["sections"][0][1]
        if not command.keys() <= _PAGE_FIELDS:
            return None
        ((order, direction),) = command["sort"].items()
        columns = [name for name, wanted in command["projection"].items() if wanted == 1]
        conditions = [
            (name, _OPERATORS[operator], value)
            for name, condition in command["filter"].items()
            for operator, value in condition.items()
        ]
        plain = all(type(value) in (str, int) for _, _, value in conditions)
        if not plain or direction != 1 or len(columns) != len(command["projection"]) or not conditions:
            return None
        request = _PageRequest(
            command["$db"], command["find"], columns, conditions, order, int(command["limit"])
        )
        return request if request.is_safe else None
    except (LookupError, TypeError, ValueError, AttributeError):  # a command of another shape
        return None


def _read_request(message: dict[str, Any]) -> _ReadRequest | None:
    """The read that a message asks for; None when it is any other command."""
    try:
        command = message["sections"][0][1]
        if command.keys() <= _FIND_FIELDS:
            request = _ReadRequest(command["$db"], command["find"], _keys(command["filter"]))
        else:
            match, unset, lookup_step, union_step = command["pipeline"]
            lookup, union = lookup_step["$lookup"], union_step["$unionWith"]
            (union_match,) = union["pipeline"]
            if lookup.keys() != _LOOKUP_FIELDS or lookup["foreignField"] != "_id":
                return None
            request = _ReadRequest(
                command["$db"],
                command["aggregate"],
                _keys(match["$match"]),
                unset["$unset"],
                lookup["from"],
                lookup["localField"],
                lookup["as"],
                union["coll"],
                _keys(union_match["$match"]),
            )
        return request if request.is_safe else None
    except (LookupError, TypeError, ValueError, AttributeError):  # a command of another shape
        return None


def _keys(filter_: dict[str, Any]) -> list[str]:
    """The keys of a filter by keys alone. Raises ValueError, LookupError or AttributeError for any other filter."""
    ((name, condition),) = filter_.items()
    ((operator, keys),) = condition.items()
    if (name, operator) != ("_id", "$in") or not isinstance(keys, list):
        raise ValueError
    return keys


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
        self._load = neosqlite_json_loads
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
        request = _read_request(message) or _page_request(message)
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

    def _rows(self, request: _ReadRequest | _PageRequest) -> list[dict[str, Any]]:
        """Raises _LimitExceeded, sqlite3.Error."""
        connection = self._connection(request.database)
        if isinstance(request, _PageRequest):
            values = [value for _, _, value in request.conditions]
            names = (*request.columns, "_id")
            found = connection.execute(request.sql, values).fetchall()
            if sum(len(data) for (data,) in found) > _MAX_ANSWER_BYTES:
                raise _LimitExceeded
            return [dict(zip(names, self._load(data), strict=True)) for (data,) in found]
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
        found = connection.execute(select, (json.dumps(keys),)).fetchall()
        if sum(len(data) for (data,) in found) > _MAX_ANSWER_BYTES:
            raise _LimitExceeded
        return [self._load(data) for (data,) in found]

    def _connection(self, database: str) -> sqlite3.Connection:
        """The connection of this thread."""
        opened: dict[str, sqlite3.Connection] = self._thread_local.__dict__
        if database not in opened:
            # "rw": only a connection that may write removes SQLite's write-ahead log when it is the last to be closed.
            path = f"file:{quote(self._folder)}/{database}.db?mode=rw"
            opened[database] = sqlite3.connect(path, uri=True, isolation_level=None, check_same_thread=False)
            self._connections.append(opened[database])
        return opened[database]
