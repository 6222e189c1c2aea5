"""Writes packages of Anki for tests."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from collections.abc import Sequence

_KINDS = {
    "1": {"name": "Basic", "flds": [{"name": "Front"}, {"name": "Back"}]},
    "2": {"name": "Cloze", "flds": [{"name": "Text"}]},
}
_DECKS = {"1": {"name": "Default"}, "5": {"name": "Sea words::Birds"}, "6": {"name": "Knots"}}
_SCHEMA = """CREATE TABLE col (models text, decks text); CREATE TABLE notes (id integer, mid integer, tags text,
    flds text); CREATE TABLE cards (nid integer, did integer, odid integer)"""


def collection(notes: Sequence[tuple[int, str, str, int]]) -> bytes:
    """The database of notes: (kind, fields parted by |, tags, deck)."""
    database = sqlite3.connect(":memory:")
    database.executescript(_SCHEMA)
    database.execute("INSERT INTO col VALUES (?, ?)", (json.dumps(_KINDS), json.dumps(_DECKS)))
    for number, (kind, fields, tags, deck) in enumerate(notes):
        database.execute(
            "INSERT INTO notes VALUES (?, ?, ?, ?)", (number, kind, tags, fields.replace("|", "\x1f"))
        )
        database.execute("INSERT INTO cards VALUES (?, ?, 0)", (number, deck))
    database.commit()
    data = bytearray(database.serialize())
    database.close()
    data[18:20] = b"\2\2"  # as a program leaves it that keeps a journal beside the file
    return bytes(data)


def package(**parts: bytes) -> bytes:
    """The parts by their names, in which _ stands for a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("media", "{}")
        for name, data in parts.items():
            archive.writestr(name.replace("_", "."), data)
    return out.getvalue()
