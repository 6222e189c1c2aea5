"""What a document or its sidecar file states of it, made of fields as people name them. Pure.

Runs in the worker processes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from semantik.core.metadata import clean_authors, clean_tags, split_authors, split_tags
from semantik.query import first_day, language_code

_MAX_TITLE = 1000  # characters
_ISO = re.compile(r"\d{4}-\d\d(?:-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| ?[+-]\d\d:?\d\d)?)?)?|\d{4}")
_NAMES = {
    "title": ("title", "dc:title", "dc.title"),
    "authors": ("author", "authors", "creator", "creators", "by", "dc:creator", "dc.creator"),
    "date": ("date", "created", "published", "pubdate", "publishdate", "issued", "dc:date", "dc.date"),
    "language": ("lang", "language", "locale", "dc:language"),
    "tags": ("tags", "tag", "keywords", "keyword", "categories", "category", "labels", "dc:subject"),
}


@dataclass(frozen=True)
class Stated:
    """`date` is in ISO 8601, `language` in ISO 639-1; None and empty where nothing is said."""

    title: str | None = None
    authors: tuple[str, ...] = ()
    date: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()


def from_fields(fields: Mapping[Any, Any]) -> Stated:
    """Of the fields of a front matter or a sidecar file; what has another form than expected is left out."""
    known = {str(name).strip().lower(): value for name, value in fields.items()}

    def values(name: str) -> list[Any]:
        return [known[each] for each in _NAMES[name] if known.get(each) is not None]

    return Stated(
        title=next((text for value in values("title") if (text := _text(value))), None),
        authors=clean_authors(name for value in values("authors") for name in _persons(value)),
        date=next((found for value in values("date") if (found := iso_date(value))), None),
        language=next((code for value in values("language") if (code := language_code(_text(value)))), None),
        tags=clean_tags(tag for value in values("tags") for tag in _tags(value)),
    )


def iso_date(value: Any) -> str | None:
    """A date or time as a person or program writes it, in ISO 8601; None for any other value."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value).strip()
    if found := _ISO.fullmatch(text):
        return found[0].replace(" ", "T", 1) if first_day(found[0][:10]) else None
    day = first_day(text)
    return day.isoformat() if day else None


def _text(value: Any) -> str:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return " ".join(str(value).split())[:_MAX_TITLE]
    return ""


def _persons(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        yield _text(value.get("name") or "")
    elif isinstance(value, list):
        for each in value:
            yield from _persons(each) if not isinstance(each, (list, str)) else [_text(each)]
    else:
        yield from split_authors(_text(value))


def _tags(value: Any) -> Iterable[str]:
    if isinstance(value, list):
        yield from (_text(each) for each in value)
        return
    text = _text(value)
    if text.startswith("#") and "," not in text:  # "#boiler #heating"
        text = text.replace(" ", ",")
    yield from split_tags(text)
