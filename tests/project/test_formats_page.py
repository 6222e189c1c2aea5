"""The page on formats lists every suffix that the detection knows, and nothing that no reader reads."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.extraction import formats
from pipeline.extraction.container_reader import CONTAINERS
from pipeline.extraction.format_reader import READERS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
# By content, or by more than a suffix.
_OTHERWISE = {".mbox", ".zip", ".tar", ".tgz", ".gz", ".1", ".9", ".man", ".mdoc", ".roff", ".mandoc"}
_PICTURES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".gif", ".webp", ".bmp"}


def _listed() -> set[str]:
    rows = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    assert all(len(row) == 4 for row in rows), [row for row in rows if len(row) != 4]
    return {suffix for row in rows for suffix in re.findall(r"`(\.\w+)`", row[1])}


def test_every_known_suffix_is_listed_and_every_listed_one_is_read() -> None:
    known = formats.known_suffixes()
    readable = {suffix for suffix, mime in known.items() if mime in READERS or mime in CONTAINERS}
    assert _listed() - _OTHERWISE - _PICTURES == readable - _PICTURES
    assert set(known) - readable <= _PICTURES
