"""Writes many rows of the embedded MongoDB in one transaction each, directly to its SQLite files, in its process.

NeoSQLite copies each row several times and commits it alone. Runs in the threads of the embedded store's process;
imports nothing else of the project.
"""

from __future__ import annotations

import base64
import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_INSERT_FIELDS = {"insert", "ordered", "lsid", "$db", "documents"}
_UPDATE_FIELDS = {"update", "ordered", "lsid", "$db", "updates"}
_ROW_UPDATE_FIELDS = {"q", "u", "multi", "upsert"}
_MAX_VALUES = 100  # of one statement
_Statement = tuple[str, list[Any]]


class _Unsupported(Exception):
    """NeoSQLite has to do it."""


class FastWriteHandler:
    """Inserts rows with text keys, and sets fields of rows by their keys and the values of other fields.

    A command takes effect as a whole or not at all. All other commands go to `handler`, and so does one that fails,
    which then says what is wrong with which row.
    """

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self._insert_otherwise = handler.handle_insert
        self._command_otherwise = handler.handle_command
        handler.handle_insert = self.handle_insert
        handler.handle_command = self.handle_command

    def handle_insert(self, message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The answer to a message, with the request's id, as NeoSQLite's handler returns it; called in threads."""
        try:
            command, rows = _command(message, "documents", _INSERT_FIELDS)
            table, keys = _name(command["insert"]), [row["_id"] for row in rows]
            if not all(type(key) is str for key in keys):
                raise _Unsupported
            values = [(_json(row), key) for row, key in zip(rows, keys, strict=True)]
            with self._transaction(command["$db"], table) as connection:
                connection.executemany(f'INSERT INTO "{table}" (data, _id) VALUES (?, ?)', values)
        except (_Unsupported, LookupError, TypeError, ValueError, sqlite3.Error) as error:
            return self._delegate(self._insert_otherwise, message, error)
        return message["request_id"], {"ok": 1, "n": len(rows), "insertedIds": keys}

    def handle_command(self, message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """As `handle_insert`, for all other commands."""
        if "update" not in message["sections"][0][1]:
            return self._delegate(self._command_otherwise, message)
        try:
            command, updates = _command(message, "updates", _UPDATE_FIELDS)
            table = _name(command["update"])
            statements = [_update(table, each) for each in updates]
            with self._transaction(command["$db"], table) as connection:
                changed = sum(connection.execute(sql, values).rowcount for sql, values in statements)
        except (_Unsupported, LookupError, TypeError, ValueError, AttributeError, sqlite3.Error) as error:
            return self._delegate(self._command_otherwise, message, error)
        return message["request_id"], {"ok": 1, "n": changed, "nModified": changed}

    @staticmethod
    def _delegate(
        handle: Any, message: dict[str, Any], error: Exception | None = None
    ) -> tuple[int, dict[str, Any]]:
        if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
            logging.getLogger(__name__).info("a write is tried row by row: %s", error)
        result: tuple[int, dict[str, Any]] = handle(message)
        return result

    @contextmanager
    def _transaction(self, database: str, table: str) -> Iterator[sqlite3.Connection]:
        """NeoSQLite's own connection in a transaction, which is rolled back when the body raises."""
        with self._handler._lock_for(database):
            opened = self._handler.get_database(database)
            connection: sqlite3.Connection = opened.db
            if connection.in_transaction or table not in opened.list_collection_names():
                raise _Unsupported
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # SQLite ends it itself after some errors
                    connection.execute("ROLLBACK")
                raise


def _command(
    message: Mapping[str, Any], content: str, fields: set[str]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A command and the rows or updates that it brings, in its body or after it. Raises _Unsupported."""
    (kind, command), *payloads = message["sections"]
    if kind != "body" or not command.keys() <= fields:
        raise _Unsupported
    found = list(command.get(content, ()))
    for kind, payload in payloads:
        if kind != "payload" or payload.keys() != {content}:
            raise _Unsupported
        found += payload[content]
    if not found:
        raise _Unsupported
    return command, found


def _update(table: str, update: Mapping[str, Any]) -> _Statement:
    """One row's update as a statement. Raises _Unsupported, LookupError, TypeError, ValueError or AttributeError."""
    if not update.keys() <= _ROW_UPDATE_FIELDS or update.get("multi") or update.get("upsert"):
        raise _Unsupported
    where: dict[str, Any] = dict(update["q"])
    ((operator, fields),) = update["u"].items()
    key = where.pop("_id")
    if type(key) is not str or operator != "$set" or not 0 < len(fields) + len(where) <= _MAX_VALUES:
        raise _Unsupported
    sets: list[str] = []
    values: list[Any] = []
    for name, value in fields.items():
        plain = value is None or type(value) in (str, int)
        sets.append(f"'$.{_name(name)}', {'?' if plain else 'json(?)'}")
        values.append(value if plain else _json(value))
    conditions = ["_id = ?"]
    values.append(key)
    for name, wanted in where.items():
        if isinstance(wanted, dict):
            ((comparison, wanted),) = wanted.items()
            if comparison != "$eq":
                raise _Unsupported
        field = f"json_extract(data, '$.{_name(name)}')"
        if wanted is None:
            conditions.append(f"{field} IS NULL")
            continue
        if type(wanted) not in (str, int):
            raise _Unsupported
        conditions.append(f"{field} = ?")
        values.append(wanted)
    return (
        f'UPDATE "{table}" SET data = json_set(data, {", ".join(sets)}) WHERE {" AND ".join(conditions)}',
        values,
    )


def _name(name: str) -> str:
    """A name that can be put into a statement. Raises _Unsupported."""
    if not name.isidentifier() or name == "_id":
        raise _Unsupported
    return name


def _plain(value: Any) -> dict[str, Any]:
    """Bytes as NeoSQLite stores them. Raises TypeError for what only NeoSQLite knows."""
    if not isinstance(value, bytes):
        raise TypeError
    return {"__neosqlite_binary__": True, "data": base64.b64encode(value).decode(), "subtype": 0}


_json = json.JSONEncoder(default=_plain, allow_nan=False, separators=(",", ":")).encode
