"""Filters as a part of a row, and back. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from semantik.core.models import Filters
from semantik.storage.mongo.rows import milliseconds, time_of
from semantik.storage.mongo.table import Record


def filters_row(filters: Filters) -> Record:
    """Only what is set: most filters set little."""
    return {
        name: _plain(value)
        for name in Filters.__dataclass_fields__
        if (value := getattr(filters, name)) not in (None, ())
    }


def filters_from_row(row: Record) -> Filters:
    fields: dict[str, Any] = dict(row)
    for name in ("modified_after", "modified_before"):
        if name in fields:
            fields[name] = time_of(fields[name])
    for name in ("after", "before"):
        if name in fields:
            fields[name] = date.fromisoformat(fields[name])
    return Filters(**{name: _tuples(value) for name, value in fields.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return milliseconds(value)
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
