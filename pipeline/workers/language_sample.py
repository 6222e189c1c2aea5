"""The languages of a few files of a folder, to recommend a model for it. Runs in a worker process."""

from __future__ import annotations

import time
from collections.abc import Sequence

from semantik.analysis import detect_language

_TEXT = 4_000  # characters that tell a language


def sample_languages(paths: Sequence[str], max_bytes: int, limit_s: float) -> list[str]:
    """The language (ISO 639-1) of each file that has one, of as many files as can be read in `limit_s` seconds.

    The files were handed over. Those that cannot be read, have more than `max_bytes`, or have no text, are passed over.
    """
    from pipeline.extraction import extract

    places = extract.Places((), ())  # they were compared when the files were opened
    deadline = time.monotonic() + limit_s
    languages = []
    for path in paths:
        if time.monotonic() > deadline:
            break
        try:
            text = extract.extract(path, extract.read(path, max_bytes, places), max_bytes).text
        except extract.ExtractError:
            continue
        if language := detect_language(text[:_TEXT]):
            languages.append(language)
    return languages
