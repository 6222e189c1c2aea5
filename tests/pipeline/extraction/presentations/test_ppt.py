"""PowerPoint presentations of before 2007: slides, notes, tables, comments, and damaged files."""

from __future__ import annotations

import random

import pytest
from support.compound import compound
from support.powerpoint import BODY, OTHER, TITLE, OldSlide, powerpoint, record

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.readers.presentation import OldPresentationReader

_FORMAT = Format("application/vnd.ms-powerpoint", "an old PowerPoint presentation")


def _read(data: bytes) -> Content:
    return OldPresentationReader().read(data, _FORMAT)


def test_slides_are_pages_with_their_titles_lists_and_notes() -> None:
    content = _read(
        powerpoint(
            [
                OldSlide(
                    [(TITLE, "Beekeeping", None), (BODY, "Smoker\rVeil\vand gloves", None)], "Mind the\rwind."
                ),
                OldSlide([(TITLE, "Мёд и воск", None), (OTHER, "Heather honey", 900)], hidden=True),
            ]
        )
    )
    first, second = (content.text[start:] for _, start in content.pages)
    assert first.startswith(
        "## Beekeeping\n\n- Smoker\n- Veil\n  and gloves\n\nSpeaker notes: Mind the\n\nwind."
    )
    assert second == "## Мёд и воск\n\n(This slide is hidden in the show.)\n\nHeather honey"
    assert [number for number, _ in content.pages] == [1, 2]
    assert content.title == "Beekeeping"


def test_tables_pictures_comments_and_objects() -> None:
    slide = OldSlide(
        [(OTHER, "below", 4000), (OTHER, "above", 10)],
        table=[["Hive", "Frames"], ["North", "11"]],
        picture="A swarm in the pear tree",
        comment=("Ida", "Count them again"),
        has_object=True,
    )
    content = _read(powerpoint([slide]))
    assert content.text.split("\n\n") == [
        "above",
        "| Hive | Frames |\n|-|-|\n| North | 11 |",
        "A swarm in the pear tree",
        "below",
        "Comment by Ida: Count them again",
    ]
    assert content.warnings == ("Slide 1: An embedded object is not read.",)


def test_an_encrypted_presentation_is_refused() -> None:
    with pytest.raises(ExtractError, match="password"):
        _read(powerpoint([OldSlide([(TITLE, "Secret", None)])], token=0xF3D1C4DF))


def test_damaged_presentations_give_text_or_raise_extract_error() -> None:
    sound = powerpoint([OldSlide([(TITLE, "Bees", None)], "Notes", table=[["a", "b"], ["c", "d"]])])
    chance = random.Random(5)
    for _ in range(300):
        damaged = bytearray(sound)
        for _ in range(chance.randrange(1, 30)):
            damaged[chance.randrange(512, len(damaged))] = chance.randrange(256)
        try:
            assert isinstance(_read(bytes(damaged)).text, str)
        except ExtractError as error:
            assert error.message.endswith(".")


def test_deep_and_endless_records_are_bounded() -> None:
    deep = b""
    for _ in range(2000):
        deep = record(0xF003, deep, container=True)
    for stream in (deep, record(0x03E8, b"")[:4] + b"\xff\xff\xff\x7f", b"\0" * 100_000):
        with pytest.raises(ExtractError):
            _read(compound({"Current User": bytes(40), "PowerPoint Document": stream}))
