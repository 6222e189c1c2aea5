"""The reads that the embedded MongoDB answers directly from SQLite: recognised in messages, and checked. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_DATABASE_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
_FIND_FIELDS = {"find", "filter", "batchSize", "lsid", "$db", "$readPreference"}
_LOOKUP_FIELDS = {"from", "localField", "foreignField", "as"}
_PAGE_FIELDS = _FIND_FIELDS | {"projection", "sort", "limit", "singleBatch"}
_OPERATORS = {"$eq": "=", "$gt": ">", "$gte": ">=", "$lt": "<"}


@dataclass(frozen=True)
class ReadRequest:
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
class PageRequest:
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
    def values(self) -> list[str | int]:
        """Those of the placeholders in `sql`."""
        return [value for _, _, value in self.conditions]

    @property
    def sql(self) -> str:
        where = " AND ".join(f"json_extract(data, '$.{name}') {sign} ?" for name, sign, _ in self.conditions)
        order = f"json_extract(data, '$.{self.order}')"
        select = f"SELECT {_fields(self.columns)}"
        return f'{select} FROM "{self.table}" WHERE {where} ORDER BY {order} LIMIT {self.limit}'


@dataclass(frozen=True)
class MembersRequest:
    """The fields `columns`, or without any all fields, of the first `limit` rows of `table` whose fields `equal` have
    these values, and whose field `member` one of `members`. NeoSQLite would use no index for the latter. A field that
    a row does not have is null among `columns`."""

    database: str
    table: str
    equal: Sequence[tuple[str, str | int]]
    member: str
    members: Sequence[str]
    limit: int
    columns: Sequence[str] = ()

    @property
    def is_safe(self) -> bool:
        """Whether its names can be put into an SQL statement, and its values are texts or numbers."""
        names = [self.table, self.member, *self.columns, *(name for name, _ in self.equal)]
        return (
            all(each.isidentifier() for each in names)
            and _DATABASE_NAME.fullmatch(self.database) is not None
            and all(type(value) in (str, int) for _, value in self.equal)
            and all(isinstance(each, str) for each in self.members)
            and self.limit > 0
        )

    @property
    def values(self) -> list[str | int]:
        """Those of the placeholders in `sql`."""
        return [*(value for _, value in self.equal), json.dumps(self.members)]

    @property
    def sql(self) -> str:
        wanted = "SELECT value FROM json_each(?)"
        where = [f"json_extract(data, '$.{name}') = ?" for name, _ in self.equal]
        where.append(f"json_extract(data, '$.{self.member}') IN ({wanted})")
        data = _fields(self.columns) if self.columns else "data"
        return f'SELECT {data} FROM "{self.table}" WHERE {" AND ".join(where)} LIMIT {self.limit}'


def members_request(message: dict[str, Any]) -> MembersRequest | None:
    """The rows that a message asks for; None when it is any other command."""
    try:
        command = message["sections"][0][1]
        if not command.keys() <= _FIND_FIELDS | {"limit", "projection"}:
            return None
        *equal, (member, one_of) = command["filter"].items()
        projection = command.get("projection") or {}
        plain = equal and all(condition.keys() == {"$eq"} for _, condition in equal)
        if not plain or one_of.keys() != {"$in"} or any(wanted != 1 for wanted in projection.values()):
            return None
        request = MembersRequest(
            command["$db"],
            command["find"],
            [(name, condition["$eq"]) for name, condition in equal],
            member,
            one_of["$in"],
            int(command["limit"]),
            list(projection),
        )
        return request if request.is_safe else None
    except (LookupError, TypeError, ValueError, AttributeError):  # a command of another shape
        return None


def _fields(columns: Sequence[str]) -> str:
    """An SQL expression: a JSON array of these fields of a row and its `_id`."""
    paths = ", ".join(f"'$.{name}'" for name in (*columns, "_id"))
    return f"json_extract(data, {paths})"


def page_request(message: dict[str, Any]) -> PageRequest | None:
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
        request = PageRequest(
            command["$db"], command["find"], columns, conditions, order, int(command["limit"])
        )
        return request if request.is_safe else None
    except (LookupError, TypeError, ValueError, AttributeError):  # a command of another shape
        return None


def read_request(message: dict[str, Any]) -> ReadRequest | None:
    """The read that a message asks for; None when it is any other command."""
    try:
        command = message["sections"][0][1]
        if command.keys() <= _FIND_FIELDS:
            request = ReadRequest(command["$db"], command["find"], _keys(command["filter"]))
        else:
            match, unset, lookup_step, union_step = command["pipeline"]
            lookup, union = lookup_step["$lookup"], union_step["$unionWith"]
            (union_match,) = union["pipeline"]
            if lookup.keys() != _LOOKUP_FIELDS or lookup["foreignField"] != "_id":
                return None
            request = ReadRequest(
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
