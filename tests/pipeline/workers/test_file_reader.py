"""What a worker process says of a file: its language, and the title with the chunks that lack it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.light_model import read_files

from pipeline.compute.messages import ChunkingOptions, FileTask, ReadDocument
from pipeline.embedding.model import BUNDLED
from pipeline.workers.read_options import ReadOptions

ENGLISH = "The valley lies in the fog, and it is cold there until the sun comes over the hills. "
GERMAN = "Das Tal liegt im Nebel, und es ist dort kalt, bis die Sonne über die Hügel kommt. "


def _read(path: Path, text: str) -> ReadDocument:
    path.write_text(text)
    options = ChunkingOptions(BUNDLED[0], 60, 0)
    limits = ReadOptions(1 << 20, (), 60.0, "float32", "")
    [outcome] = read_files(
        [FileTask("d", str(path), path.stat().st_size, roots=(str(path.parent),))], options, limits
    )
    assert isinstance(outcome, ReadDocument)
    return outcome


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH * 3, "en"),
        (GERMAN * 3, "de"),
        (ENGLISH * 30 + GERMAN * 300, "de"),  # an English preface
        ("山の天文台の望遠鏡は大きいです。" * 9, "ja"),
        ("17 04 2 99 " * 50, None),
    ],
)
def test_a_document_has_the_language_of_most_of_its_text(
    tmp_path: Path, text: str, language: str | None
) -> None:
    assert _read(tmp_path / "a.txt", text).language == language


def test_the_title_goes_with_the_chunks_that_do_not_say_it(tmp_path: Path) -> None:
    html = f"<title>Fog report</title><h1>Autumn</h1><p>{ENGLISH * 9}</p><h2>Fog report 2</h2><p>{GERMAN}</p>"
    chunks = _read(tmp_path / "a.html", html).chunks
    assert {(one.heading, one.title) for one in chunks} == {
        ("Autumn", "Fog report"),
        ("Autumn › Fog report 2", None),
    }
