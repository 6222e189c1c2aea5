"""How a batch of files is read: from the settings to the worker processes."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.extraction.reading_options import ReadingOptions
from pipeline.extraction.recognition.installation import Recognition
from semantik.config.settings import Settings


@dataclass(frozen=True)
class ReadOptions:
    """How files are read: limits of a file, forbidden folders, the model's precision, a failpoint.

    `reading` is for the readers of the formats, `exclude` for the names of files in archives. `recognition` is what the
    server can recognise; None: look, as this is its machine.
    """

    max_file_bytes: int
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
    recognition: Recognition | None = None

    @classmethod
    def of(cls, settings: Settings, failpoint: str, recognition: Recognition | None = None) -> ReadOptions:
        """Those of the settings."""
        documents = settings.documents
        return cls(
            documents.max_file_bytes,
            tuple(map(str, settings.private_paths)),
            documents.file_timeout_s,
            settings.embedding.precision,
            failpoint,
            ReadingOptions(documents.hidden_sheets),
            documents.max_container_bytes,
            documents.max_container_parts,
            documents.exclude,
            documents.ocr,
            documents.ocr_languages,
            recognition,
        )
