"""How a batch of files is read: from the settings to the worker processes."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.extraction.reading_options import ReadingOptions


@dataclass(frozen=True)
class ReadOptions:
    """How files are read: limits of a file, allowed and forbidden folders, the model's precision, a failpoint.

    `reading` is for the readers of the formats, `exclude` for the names of files in archives.
    """

    max_file_bytes: int
    roots: tuple[str, ...]
    forbidden: tuple[str, ...]
    file_timeout_s: float
    precision: str
    failpoint: str
    reading: ReadingOptions = ReadingOptions()
    max_container_bytes: int = 1 << 40
    max_container_parts: int = 1_000_000
    exclude: tuple[str, ...] = ()
    ocr: str = "off"
    ocr_languages: tuple[str, ...] = ()
