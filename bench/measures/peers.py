"""Alternatives to Semantik with the same documents: characters of text that are actually embedded per second.

Semantik is timed from the POST of a collection until a search finds it, including extraction. The others get texts that
were extracted before in the same way; characters that their model truncates do not count. A character that is in two
chunks of Semantik counts once.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.chunks import MODEL, read_chunks
from bench.corpus import documents
from bench.peers import venv
from bench.results import Result
from bench.server_process import index_until_found, run_server
from pipeline.compute.messages import ModelSpec, TextChunks
from pipeline.embedding import model
from pipeline.extraction import extract

_EVERY = 3  # every third document, because the others need minutes for all of them
_PRECISIONS = (("float32", 3.0), ("bfloat16", 1.4))


def measure() -> Iterator[Result]:
    with tempfile.TemporaryDirectory(prefix="semantik-bench-") as home:
        folder, texts = Path(home) / "documents", Path(home) / "texts.jsonl"
        _select_documents(folder, texts)
        read_documents = read_chunks(folder)
        characters = sum(_covered_characters(each.chunks) for each in read_documents)
        chunk_count = sum(len(each.chunks) for each in read_documents)
        note = (
            f"{len(read_documents)} documents, {characters:,} characters, {chunk_count:,} chunks of Semantik"
        )
        auto = model.load(ModelSpec(MODEL, "auto")).info.precision
        semantik_rates = [characters / asyncio.run(_index_seconds(folder))]
        for precision, minimum in _PRECISIONS[: 1 if auto == "float32" else 2]:
            peers = {name: venv.run(name, precision, texts) for name in venv.NAMES}
            semantik_rates.append(characters / asyncio.run(_index_seconds(folder)))
            rates = {name: found["read"] / found["seconds"] for name, found in peers.items()}
            best = max(rates.values())
            for name, rate in rates.items():
                share = peers[name]["read"] / peers[name]["characters"]
                yield Result(
                    "characters embedded per second",
                    median(semantik_rates),
                    "/s",
                    rate,
                    f"{name}, {precision}",
                    minimum=minimum if rate == best else None,
                    note=f"whose model reads {share:.1%} of the text; {note}",
                )


def _select_documents(folder: Path, texts: Path) -> None:
    """Copy some of the documents to `folder`, and write their texts to `texts` as lines of JSON."""
    with texts.open("w") as lines:
        for path in [path for path in sorted(documents().rglob("*")) if path.is_file()][::_EVERY]:
            target = folder / path.relative_to(documents())
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            text = extract.extract(str(path), path.read_bytes(), 1 << 30).text
            lines.write(json.dumps({"text": text}) + "\n")


def _covered_characters(chunks: TextChunks) -> int:
    """The number of a document's characters that are in at least one chunk."""
    covered = end = 0
    for chunk in chunks:
        covered += max(0, chunk.end - max(chunk.start, end))
        end = max(end, chunk.end)
    return covered


async def _index_seconds(folder: Path) -> float:
    with tempfile.TemporaryDirectory(prefix="semantik-bench-") as data:
        async with run_server(data) as server:
            seconds, _ = await index_until_found(server, folder)
            return seconds
