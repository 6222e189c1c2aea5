"""Values of frozen records as fields of MongoDB's rows, and back. Pure.

Times are stored as whole milliseconds since 1970 in UTC, not as dates: the embedded store returns a date that an
update has set as a text, and then compares it as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_row(record: DataclassInstance) -> dict[str, Any]:
    """A record as a row: its `id` becomes `_id`."""
    row = to_fields(asdict(record))
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


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return milliseconds(value)
    if isinstance(value, dict):
        return to_fields(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
