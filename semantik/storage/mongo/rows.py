"""Values of frozen records as fields of MongoDB's rows, and back. Pure.

Times are stored as whole milliseconds since 1970 in UTC, not as dates: the embedded store returns a date that an
update has set as a text, and then compares it as one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_row(record: DataclassInstance) -> dict[str, Any]:
    """A record as a row: its `id` becomes `_id`."""
    row = _fields_of(record)
    row["_id"] = row.pop("id")
    return row


def to_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in fields.items()}


def milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def time_of(value: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=value)


def maybe_time(value: int | None) -> datetime | None:
    return None if value is None else time_of(value)


def _fields_of(record: DataclassInstance) -> dict[str, Any]:
    """Like `asdict`, which would copy every value twice; records are written by the thousand."""
    return {field.name: _plain(getattr(record, field.name)) for field in dataclasses.fields(record)}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, int)):  # nearly all
        return value
    if isinstance(value, datetime):
        return milliseconds(value)
    if isinstance(value, dict):
        return to_fields(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields_of(value)
    return value
