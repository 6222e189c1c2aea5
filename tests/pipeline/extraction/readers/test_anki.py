"""Flash cards of Anki: which notes are read, and how their fields read."""

from __future__ import annotations

import sqlite3

import pytest
from support.anki_files import collection, package

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.extract import read_content
from pipeline.extraction.formats import detect

_NOTES = collection(
    [
        (1, "gull<br><i>Laridae</i>|Möwe [sound:gull.mp3]<img src='g.jpg'> 10<sup>6</sup>", " bird sea ", 5),
        (1, "bowline|Palstek", "", 6),
        (2, "The {{c1::tern::bird}} flies {{c2::south}}.", " bird ", 5),
        (9, "of an unknown kind", "", 7),
    ]
)
_UPDATE = collection([(1, "Please update to the latest version|", "", 1)])


def _read(data: bytes) -> Content:
    return read_content(data, detect(data, ".apkg"), ".apkg")


def test_notes_stand_below_their_decks() -> None:
    content = _read(package(collection_anki21=_NOTES, collection_anki2=_UPDATE))
    assert content.text == (
        "# Sea words – Birds\n\nFront: gull\nLaridae\nBack: Möwe 10⁶\n\nText: The tern flies south.\n\n"
        "# Knots\n\nFront: bowline\nBack: Palstek\n\nof an unknown kind"
    )
    assert (content.title, content.tags) == (None, ("bird", "sea"))
    alone = _read(package(collection_anki2=collection([(1, "oar|Ruder", "", 6)])))
    assert (alone.title, alone.text) == ("Knots", "# Knots\n\nFront: oar\nBack: Ruder")


def test_packages_that_cannot_be_read() -> None:
    with pytest.raises(ExtractError, match="older versions"):
        _read(package(collection_anki21b=b"\x28\xb5\x2f\xfd", collection_anki2=_UPDATE))
    view = sqlite3.connect(":memory:")
    view.executescript(
        "CREATE TABLE notes (id); CREATE TABLE cards (id); CREATE VIEW col AS SELECT 1 AS models"
    )
    for data in (b"no database", _NOTES[:2000], view.serialize()):
        with pytest.raises(ExtractError, match="damaged"):
            _read(package(collection_anki2=data))
    view.close()
