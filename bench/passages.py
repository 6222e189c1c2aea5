"""Documents as a server with default settings reads and cuts them, without a server."""

from __future__ import annotations

from pathlib import Path

from pipeline.compute.messages import ChunkingOptions, FileTask, ReadDocument
from pipeline.workers import worker
from semantik.config.settings import EmbeddingSettings

MODEL = EmbeddingSettings().model


def read(folder: Path) -> list[ReadDocument]:
    """What becomes of the files in a folder; those that cannot be read are left out."""
    files = [FileTask(str(path), str(path), 0) for path in sorted(folder.rglob("*")) if path.is_file()]
    read_options = worker.ReadOptions(1 << 30, ("/",), (), 120.0, EmbeddingSettings().precision, "")
    options = ChunkingOptions(MODEL, EmbeddingSettings().chunk_size, EmbeddingSettings().chunk_overlap)
    outcomes = worker.read_files(files, options, read_options)
    return [each for each in outcomes if isinstance(each, ReadDocument)]
