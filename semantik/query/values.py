"""The values of filters as they are typed: dates, types, languages, properties. Pure; None, never an error."""

from __future__ import annotations

import re
from datetime import date

from semantik.core.document_types import document_type
from semantik.core.metadata import tag_key
from semantik.query.languages import language_code

_ISO = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?", re.ASCII)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)
_EDGES = " \t,;."


def first_day(value: str) -> date | None:
    """The first day of a date like 2025-03-31, 31.3.2025, 2025-03 or 2025."""
    plain = value.strip(_EDGES)
    if found := _ISO.fullmatch(plain):
        year, month, day = found.groups("1")
    elif found := _DOTTED.fullmatch(plain):
        day, month, year = found.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:  # no such day
        return None


def types(value: str) -> tuple[str, ...] | None:
    """The names of types, separated by commas; None when one of them is unknown."""
    names = _listed(value)
    return names if names and all(document_type(name) for name in names) else None


def languages(value: str) -> tuple[str, ...] | None:
    """The codes of languages, separated by commas; None when one of them is unknown."""
    codes = [language_code(name) for name in _listed(value)]
    known = tuple(code for code in codes if code)
    return known if known and len(known) == len(codes) else None


def properties(value: str) -> tuple[str, ...] | None:
    """What a document may be: only `recognised`, in either spelling; None for anything else."""
    return ("recognised",) if value.strip(_EDGES).lower() in ("recognised", "recognized") else None


def tags(value: str) -> tuple[str, ...] | None:
    """Tags, separated by commas; None when there is none."""
    return tuple(tag for part in value.split(",") if tag_key(tag := part.strip())) or None


def _listed(value: str) -> tuple[str, ...]:
    parts = (part.strip().rstrip(";").lower() for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))
