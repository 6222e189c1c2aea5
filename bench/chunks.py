"""Reads and splits documents as a server with default settings does, without a server."""

from __future__ import annotations

from pathlib import Path

from pipeline.compute.messages import ChunkingOptions, FileTask, ReadDocument
from pipeline.workers import file_reading
from pipeline.workers.read_options import ReadOptions
from semantik.config.settings import EmbeddingSettings

MODEL = EmbeddingSettings().model


def read_chunks(folder: Path) -> list[ReadDocument]:
    """The documents of a folder with their chunks; files that cannot be read are left out."""
    files = [
        FileTask(str(path), str(path), 0, roots=("/",))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    read_options = ReadOptions(1 << 30, (), 120.0, EmbeddingSettings().precision, "")
    chunking = ChunkingOptions(MODEL, EmbeddingSettings().chunk_size, EmbeddingSettings().chunk_overlap)
    outcomes = file_reading.read_files(files, chunking, read_options)
    return [outcome for outcome in outcomes if isinstance(outcome, ReadDocument)]
