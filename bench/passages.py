"""Documents as a server with default settings reads and cuts them, without a server."""

from __future__ import annotations

from pathlib import Path

from pipeline import worker
from pipeline.batch import Cutting, FileTask, ReadDocument
from semantik.settings import Embedding

MODEL = Embedding().model


def read(folder: Path) -> list[ReadDocument]:
    """What becomes of the files in a folder; those that cannot be read are left out."""
    files = [FileTask(str(path), str(path), 0) for path in sorted(folder.rglob("*")) if path.is_file()]
    reading = worker.Reading(1 << 30, ("/",), (), 120.0, Embedding().precision, "")
    cutting = Cutting(MODEL, Embedding().chunk_size, Embedding().chunk_overlap)
    outcomes = worker.read_files(files, cutting, reading)
    return [each for each in outcomes if isinstance(each, ReadDocument)]
