"""An INDEX of many small files and of real documents, and an APPEND without changes, beside those of another build."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from bench import corpus
from bench.pairs import Pair
from bench.server_process import (
    ROOT,
    cpu_seconds,
    index_folder,
    operation_seconds,
    run_server,
    wait_for_operation,
)
from bench.sizes import QUICK, sized

_FILES = sized(5_000, 1_000)
_ROUNDS = sized(3, 1)


def compare_indexing(build: Path) -> list[Pair]:
    """This build beside the one in the folder `build`."""
    files = corpus.small_files(_FILES)
    note = f"{_FILES:,} files of a sentence, model loaded, in turns"
    rate = Pair("INDEX of small files", "files/s", "higher", note=note)
    cost = Pair("processor time of a file, all processes", "ms", "lower", note=note)
    append = Pair("APPEND without changes", "s", "lower", note=note)
    real = Pair("INDEX of real documents", "s", "lower", note="files of a dozen formats, in turns")
    for number in range(_ROUNDS):
        for at in (0, 1) if number % 2 else (1, 0):
            folder = None if QUICK else corpus.documents()
            values = asyncio.run(_measure((ROOT, build)[at], files, folder))
            for pair, value in zip((rate, cost, append, real), values, strict=False):
                (pair.theirs if at else pair.ours).append(value)
    return [each for each in (rate, cost, append, real) if each.ours]


async def _measure(build: Path, files: Path, documents: Path | None) -> list[float]:
    """Files per second, milliseconds of processor time a file, seconds of the APPEND and of the INDEX of documents."""
    with tempfile.TemporaryDirectory(dir=corpus.WORK_FOLDER) as folder:
        async with run_server(Path(folder) / "data", build=build) as server:
            await index_folder(server.client, ROOT / "docs" / "samples", "warm")
            before_s = cpu_seconds(server.pid)
            collection_id, record = await index_folder(server.client, files)
            cost_ms = 1000 * (cpu_seconds(server.pid) - before_s) / _FILES
            again = await server.client.call("POST", f"collections/{collection_id}/append", {})
            appended = await wait_for_operation(server.client, again["operation_id"])
            values = [_FILES / operation_seconds(record), cost_ms, operation_seconds(appended)]
            if documents is not None:
                _, record = await index_folder(server.client, documents, "documents")
                values.append(operation_seconds(record))
            return values
