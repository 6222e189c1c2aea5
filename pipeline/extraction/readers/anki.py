"""Packages of flash cards that Anki exports. Runs in the worker processes."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from pipeline.extraction import markdown
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.html.pieces import piece_to_markdown
from pipeline.extraction.zip_package import ZipPackage
from semantik.core.metadata import clean_tags

_COLLECTIONS = (
    "collection.anki21",
    "collection.anki2",
)  # the newer one first: the other then asks for an update
_PACKED = "collection.anki21b"  # compressed with Zstandard
_NOTES = """SELECT notes.mid, notes.flds, notes.tags, min(CASE WHEN odid THEN odid ELSE did END)
    FROM notes LEFT JOIN cards ON cards.nid = notes.id GROUP BY notes.id ORDER BY 4, notes.id"""
_TABLES = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('col', 'notes', 'cards')"
_JOURNAL_MODE = slice(18, 20)  # the bytes of the header that ask for a journal beside the file
_CLOZE = re.compile(r"\{\{c\d+::(.*?)(?:::(?:(?!\}\}).)*)?\}\}", re.DOTALL)
_SOUND = re.compile(r"\[(?:sound|anki:play):[^\]]*\]")


class AnkiReader:
    """Each deck below its name, each note with its fields by name; cloze deletions are filled in."""

    def read(self, data: bytes, detected: Format) -> Content:
        package = ZipPackage(data)
        name = next((each for each in _COLLECTIONS if each in package), "")
        if _PACKED in package and name != _COLLECTIONS[0]:
            raise ExtractError(
                "unsupported", "This Anki package is compressed; only exports for older versions can be read."
            )
        try:
            with closing(_opened(package.read(name))) as database:
                return _content(database)
        except (sqlite3.Error, ValueError, TypeError, AttributeError) as error:
            raise ExtractError("corrupt", "This is an Anki package that is damaged.") from error


def _opened(data: bytes) -> sqlite3.Connection:
    """The database in memory. Nothing that its schema defines is run but reading tables."""
    stored = bytearray(data)
    stored[_JOURNAL_MODE] = b"\1\1"
    database = sqlite3.connect(":memory:")
    database.deserialize(bytes(stored))
    database.execute("PRAGMA trusted_schema = OFF")
    return database


def _content(database: sqlite3.Connection) -> Content:
    if database.execute(_TABLES).fetchone() != (3,):
        raise ValueError("a table is missing, or is none")
    kinds, decks = (json.loads(text) for text in database.execute("SELECT models, decks FROM col").fetchone())
    parts: list[str] = []
    titles: list[str] = []
    tags: dict[str, None] = {}
    for kind, fields, tagged, deck in database.execute(_NOTES):
        title = " – ".join(str(decks.get(str(deck), {}).get("name", "")).split("::"))
        if title and title not in titles[-1:]:
            titles.append(title)
            parts.append(f"# {title}")
        names = [field.get("name", "") for field in kinds.get(str(kind), {}).get("flds", [])]
        parts.append("\n".join(_fields(names, str(fields).split("\x1f"))))
        tags.update(dict.fromkeys(str(tagged).split()))
    text = "\n\n".join(part for part in parts if part)
    return Content(text, titles[0] if len(titles) == 1 else None, markdown=True, tags=clean_tags(tags))


def _fields(names: list[Any], values: list[str]) -> Iterator[str]:
    for at, value in enumerate(values):
        shown = piece_to_markdown(_SOUND.sub("", _CLOZE.sub(r"\1", value)))
        if shown.strip():
            name = names[at] if at < len(names) else ""
            yield f"{name}: {markdown.literal(shown)}" if name else markdown.literal(shown)
