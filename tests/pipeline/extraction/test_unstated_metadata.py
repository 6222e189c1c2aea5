"""Properties that a program wrote, and nobody stated."""

from __future__ import annotations

import pytest
from support.openxml import element, package

from pipeline.extraction.opc import Package


@pytest.mark.parametrize(
    ("stated", "read"),
    [
        (("", "python-docx", "2013-12-23T23:15:00Z"), (None, None, None)),
        (("", "python-docx", "2026-03-04T10:00:00Z"), (None, None, "2026-03-04T10:00:00Z")),
        (("PptxGenJS Presentation", "PptxGenJS", "2026-03-04"), (None, None, "2026-03-04")),
        (("PowerPoint-Präsentation", "Un-named", ""), (None, None, None)),
        (("Presentation of Unknown", "Ana Müller", ""), ("Presentation of Unknown", "Ana Müller", None)),
    ],
)
def test_names_and_dates_of_programs_are_none(
    stated: tuple[str, str, str], read: tuple[str | None, str | None, str | None]
) -> None:
    found = Package(package("word/d.xml", {"word/d.xml": element("x", "")}, {}, stated)).properties()
    assert (found.title, found.author, found.date) == read
