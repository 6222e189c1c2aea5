"""What people would pick instead, given the same documents: characters of text that are really embedded a second.

Ours is the time from the POST of a collection until it is found, extraction and all. The others get texts that were
extracted before, as ours extracts them, and what their model cuts off a chunk does not count. With us a character that
stands in two passages counts once.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.corpus import documents
from bench.figures import Figure
from bench.passages import MODEL, read
from bench.peers import venv
from bench.serving import serving, until_found
from pipeline.compute.messages import ModelSpec, TextChunks
from pipeline.embedding import model
from pipeline.extraction import extract

_EVERY = 3  # of the documents, because the others need minutes for all of them
_PRECISIONS = (("float32", 3.0), ("bfloat16", 1.4))


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="semantik-bench-") as home:
        folder, texts = Path(home) / "documents", Path(home) / "texts.jsonl"
        _choose(folder, texts)
        read_here = read(folder)
        characters = sum(_covered(each.chunks) for each in read_here)
        passages = sum(len(each.chunks) for each in read_here)
        note = f"{len(read_here)} documents, {characters:,} characters, {passages:,} passages of ours"
        auto = model.load(ModelSpec(MODEL, "auto")).info.precision
        ours = [characters / asyncio.run(_ours(folder))]
        for precision, least in _PRECISIONS[: 1 if auto == "float32" else 2]:
            theirs = {name: venv.run(name, precision, texts) for name in venv.NAMES}
            ours.append(characters / asyncio.run(_ours(folder)))
            rates = {name: found["read"] / found["seconds"] for name, found in theirs.items()}
            best = max(rates.values())
            for name, rate in rates.items():
                share = theirs[name]["read"] / theirs[name]["characters"]
                yield Figure(
                    "characters embedded a second",
                    median(ours),
                    "/s",
                    rate,
                    f"{name}, {precision}",
                    least=least if rate == best else None,
                    note=f"whose model reads {share:.1%} of the text; {note}",
                )


def _choose(folder: Path, texts: Path) -> None:
    """Put some of the documents there, and what they say, a line of JSON each."""
    with texts.open("w") as lines:
        for path in [path for path in sorted(documents().rglob("*")) if path.is_file()][::_EVERY]:
            target = folder / path.relative_to(documents())
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            text = extract.extract(str(path), path.read_bytes(), 1 << 30).text
            lines.write(json.dumps({"text": text}) + "\n")


def _covered(chunks: TextChunks) -> int:
    """How many of a document's characters stand in a passage."""
    covered = end = 0
    for chunk in chunks:
        covered += max(0, chunk.end - max(chunk.start, end))
        end = max(end, chunk.end)
    return covered


async def _ours(folder: Path) -> float:
    with tempfile.TemporaryDirectory(prefix="semantik-bench-") as data:
        async with serving(data) as server:
            seconds, _ = await until_found(server, folder)
            return seconds
