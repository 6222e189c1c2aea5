"""Indexing notes and mails of 50 to 300 words, compared with a loop on each core that only embeds the same chunks."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from bench import encoder_loops
from bench.chunks import MODEL, read_chunks
from bench.corpus import WORK_FOLDER, wordnet_definitions
from bench.results import Result
from bench.server_process import index_folder, operation_seconds, run_server
from bench.sizes import sized
from pipeline.compute.messages import ModelSpec
from pipeline.embedding import model

_FILES = sized(20_000, 1_000)
_PER_FOLDER = 1_000
_SAMPLE = sized(4_000, 600)  # chunks of one round of the loop
_ROUNDS = 2


def measure() -> Iterator[Result]:
    cores = os.cpu_count() or 1
    folder = _folder()
    precision = model.load(ModelSpec(MODEL, "auto")).info.precision
    texts = [text for each in read_chunks(folder) for text in each.chunks.texts]
    sample = [texts[at * len(texts) // _SAMPLE] for at in range(_SAMPLE)]
    with encoder_loops.start_loop("semantik", precision, cores, 1) as loop:
        before = [len(sample) / loop.embed_seconds(sample) for _ in range(_ROUNDS)]
        rate = asyncio.run(_index(folder))
        after = [len(sample) / loop.embed_seconds(sample) for _ in range(_ROUNDS)]
    rates = [*before, *after]
    yield Result(
        f"index {_FILES:,} notes and mails, {precision}",
        rate,
        "chunks/s",
        sum(rates) / len(rates),
        "one loop per core: the encoder of Semantik",
        minimum=0.92,
        note=f"{len(texts):,} chunks, model loaded",
    )


async def _index(folder: Path) -> float:
    """Chunks per second."""
    with tempfile.TemporaryDirectory(dir=WORK_FOLDER) as data:
        async with run_server(data) as server:
            _, record = await index_folder(server.client, folder)
            return float(record["result"]["chunks"]) / operation_seconds(record)


def _folder() -> Path:
    """Text files and messages in turns, of definitions of WordNet."""
    folder = WORK_FOLDER / f"notes-{_FILES}"
    if not folder.exists():
        temporary = folder.with_name(f"{folder.name}.new")
        chosen, definitions = random.Random(_FILES), wordnet_definitions()
        for number in range(_FILES):
            subfolder = temporary / f"{number // _PER_FOLDER:04}"
            subfolder.mkdir(parents=True, exist_ok=True)
            text = _text(chosen, definitions)
            if number % 2:
                (subfolder / f"{number:06}.txt").write_text(text, "utf-8")
            else:
                (subfolder / f"{number:06}.eml").write_bytes(_mail(number, text))
        temporary.rename(folder)
    return folder


def _text(chosen: random.Random, definitions: list[str]) -> str:
    count, words = chosen.randint(50, 300), list[str]()
    while len(words) < count:
        words += f"{chosen.choice(definitions).capitalize()}.".split()
    return " ".join(words[:count])


def _mail(number: int, text: str) -> bytes:
    mail = EmailMessage(SMTP)
    mail["Subject"], mail["From"], mail["To"] = f"Note {number}", "anna@example.org", "ben@example.org"
    mail["Date"] = "Tue, 14 Nov 2023 22:13:20 +0000"
    mail.set_content(text)
    return mail.as_bytes()
