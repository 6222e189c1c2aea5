"""Compares what is read of PDF files with pdftotext: `python -m bench.pdf_text FOLDER_OR_FILE...`.

Prints for each file its pages, the words lost and added in per cent, the time, and the words that differ most.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from bench.word_comparison import WordDifference, without_running_lines, word_difference
from pipeline.extraction import formats
from pipeline.extraction.content import ExtractError
from pipeline.extraction.format_reader import READERS


def measure(path: Path) -> tuple[int, float, WordDifference]:
    """The pages of a file, the seconds that reading takes, and the difference from pdftotext. Raises ExtractError."""
    data = path.read_bytes()
    start = time.perf_counter()
    content = READERS["application/pdf"].read(data, formats.detect(data, ".pdf"))
    seconds = time.perf_counter() - start
    reference = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True, timeout=120).stdout
    pages = reference.decode("utf-8", "replace").split("\f")
    # What is lost is told against the text without running lines, and what is added against all of it.
    lost = word_difference(without_running_lines(pages), content.text)
    added = word_difference("\n".join(pages), content.text)
    return len(content.pages), seconds, WordDifference(lost.words, lost.lost, added.added)


def main(arguments: list[str]) -> None:
    files: list[Path] = []
    for each in map(Path, arguments):
        files += sorted(each.rglob("*.pdf")) if each.is_dir() else [each]
    words = lost = added = pages = 0
    seconds = 0.0
    for file in files:
        try:
            count, taken, difference = measure(file)
        except (ExtractError, subprocess.SubprocessError) as error:
            print(f"{file.name}: {error}")
            continue
        pages, seconds, words = pages + count, seconds + taken, words + difference.words
        lost, added = lost + difference.lost.total(), added + difference.added.total()
        print(
            f"{file.name[-40:]:40} {count:5} pages {count / taken:6.0f}/s lost {difference.lost_percent:6.2f} % "
            f"added {difference.added_percent:6.2f} %  -{_some(difference.lost)} +{_some(difference.added)}",
            flush=True,
        )
    print(
        f"{len(files)} files, {pages} pages, {pages / max(seconds, 1e-9):.0f} pages/s, {words} words: "
        f"lost {100 * lost / max(words, 1):.3f} %, added {100 * added / max(words, 1):.3f} %"
    )


def _some(words: dict[str, int]) -> str:
    most = sorted(words.items(), key=lambda item: -item[1])[:5]
    return ",".join(f"{word[:15]}*{times}" for word, times in most)


if __name__ == "__main__":
    main(sys.argv[1:])
