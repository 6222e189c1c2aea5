"""A million real vectors to measure an index with, and query vectors that are not among them; created once, in steps.

`nice python -m bench.vectors` creates what is missing below build/bench/vectors with the bundled model, and resumes if
interrupted. The first 110 000 are definitions of WordNet. The others are parts of sentences of manuals and dictionaries
from Debian: a sentence is embedded once, and the embeddings of its tokens are pooled over the whole sentence and over
up to nine windows of it, as in "late chunking"; each is a different vector, no two of them of the same tokens.
"""

from __future__ import annotations

import argparse
import gzip
import html
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.corpus import ROOT, WORK_FOLDER, package, wordnet_definitions, wordnet_questions
from pipeline.compute.messages import ModelSpec
from pipeline.embedding import model

FOLDER = WORK_FOLDER / "vectors"
MILLION = 1_000_000
QUERIES = 500
DEFINITIONS = 110_000
_SEED = 20_261_123
_STEP = 10_000
_SENTENCES_PER_STEP = 2000
_CHUNKS_PER_SENTENCE = 10
_MIN_WINDOW = 4  # tokens
_SENTENCE_WORDS = range(5, 41)
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\n\s*\n")
_MARKUP = re.compile(r"<(script|style).*?</\1>|<[^>]+>|[`*|{}\\=_#]+", re.DOTALL)
_SPEC = ModelSpec("sentence-transformers/all-MiniLM-L6-v2", "auto")
_LETTERS = re.compile(r"[A-Za-z]")


def vectors(count: int) -> NDArray[np.float16]:
    """The first `count` of a million vectors, (count, 384), memory-mapped. The first 110 000 are definitions."""
    _make()
    mapped: NDArray[np.float16] = np.load(FOLDER / "vectors.npy", mmap_mode="r")[:count]
    return mapped


def query_vectors() -> NDArray[np.float32]:
    """500 vectors, (500, 384), of texts that are not in the index.

    One half are held-out definitions, the other queries such as "What is a truffle?".
    """
    _make()
    return np.asarray(np.load(FOLDER / "queries.npy"), np.float32)


def _make() -> None:
    if not (FOLDER / "vectors.npy").exists():
        print("Embedding a million chunks, which takes up to an hour.", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "bench.vectors"], cwd=ROOT, check=True)


def _sentences(text: str) -> Iterator[str]:
    for sentence in _SENTENCE_END.split(html.unescape(_MARKUP.sub(" ", text))):
        words = sentence.split()
        plain = " ".join(words)
        if len(words) in _SENTENCE_WORDS and len(_LETTERS.findall(plain)) > 0.7 * len(plain):
            yield plain


def _manual_sentences() -> Iterator[str]:
    share = Path("usr/share")
    for name, pattern in (
        ("dict-gcide", "dictd/*.dz"),
        ("dict-foldoc", "dictd/*.dz"),
        ("python3.11-doc", "doc/**/*.txt"),
        ("linux-doc-6.1", "doc/**/*.rst.txt.gz"),
        ("linux-doc-6.1", "doc/**/*.rst.txt"),
        ("linux-doc-6.1", "doc/**/*.rst.gz"),
        ("postgresql-doc-15", "doc/**/*.html"),
        ("perl-doc", "perl/**/*.pod"),
    ):
        for path in sorted((package(name) / share).glob(pattern)):
            raw = (
                path.read_bytes() if path.suffix not in (".gz", ".dz") else gzip.decompress(path.read_bytes())
            )
            yield from _sentences(raw.decode("utf-8", "replace"))


def _texts() -> tuple[list[str], list[str], list[str]]:
    """Definitions, sentences, and queries."""
    rng = random.Random(_SEED)
    definitions = list(dict.fromkeys(wordnet_definitions()))
    rng.shuffle(definitions)
    held_out, definitions = definitions[: QUERIES // 2], definitions[QUERIES // 2 :]
    sentences = [text for text in dict.fromkeys(_manual_sentences()) if text not in set(held_out)]
    rng.shuffle(sentences)
    return (
        definitions[:DEFINITIONS],
        sentences,
        held_out + rng.sample(wordnet_questions(), QUERIES - len(held_out)),
    )


def _embed(texts: list[str], path: Path) -> None:
    _save(path, model.load(_SPEC).embed(texts))


def _embed_chunks(sentences: list[str], path: Path) -> None:
    rng = np.random.default_rng(_SEED)
    vectors = []
    for words in model.load_sentence_transformer(_SPEC.name, model.load(_SPEC).info.precision).encode(
        sentences, output_value="token_embeddings", batch_size=32
    ):
        words = words.float().numpy()
        # The first and the last token are special tokens of the whole sentence, and part of no window.
        starts = rng.integers(1, max(2, len(words) - _MIN_WINDOW), _CHUNKS_PER_SENTENCE - 1)
        ends = np.minimum(
            starts + rng.integers(_MIN_WINDOW, 2 * _MIN_WINDOW + 1, len(starts)), len(words) - 1
        )
        windows = {
            (start, end) for start, end in zip(starts, ends, strict=True) if end - start >= _MIN_WINDOW
        }
        vectors += [
            words.mean(axis=0),
            *(words[start:end].mean(axis=0) for start, end in sorted(windows)),
        ]
    pooled = np.stack(vectors)
    _save(path, pooled / np.linalg.norm(pooled, axis=1, keepdims=True))


def _save(path: Path, values: NDArray[np.floating]) -> None:
    temporary = path.with_suffix(f".{os.getpid()}")
    with temporary.open("wb") as file:
        np.save(file, values.astype(np.float16))
    temporary.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.vectors", description=__doc__)
    parser.add_argument("--part", default="0/1", help="the share of this process, as 0/2 and 1/2")
    part, parts = map(int, parser.parse_args().part.split("/"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    definitions, sentences, queries = _texts()
    definition_files = [FOLDER / f"{start:07}.npy" for start in range(0, len(definitions), _STEP)]
    for number, path in enumerate(definition_files):
        if number % parts == part and not path.exists():
            _embed(definitions[number * _STEP : (number + 1) * _STEP], path)
    if not (FOLDER / "queries.npy").exists():
        _embed(queries, FOLDER / "queries.npy")
    number, available = 0, DEFINITIONS
    while available < MILLION:
        path = FOLDER / f"chunks-{number:04}.npy"
        if number % parts == part and not path.exists():
            started = time.monotonic()
            _embed_chunks(sentences[number * _SENTENCES_PER_STEP : (number + 1) * _SENTENCES_PER_STEP], path)
            print(
                f"{path.name}: {_SENTENCES_PER_STEP / (time.monotonic() - started):.0f} sentences/s",
                flush=True,
            )
        # Another process may still work on earlier files.
        chunk_files = sorted(FOLDER.glob("chunks-*.npy"))
        available = DEFINITIONS + sum(len(np.load(each, mmap_mode="r")) for each in chunk_files)
        number += 1
    pooled = np.concatenate([np.load(each) for each in chunk_files])
    np.random.default_rng(_SEED).shuffle(pooled)
    _save(FOLDER / "vectors.npy", np.concatenate([*map(np.load, definition_files), pooled])[:MILLION])


if __name__ == "__main__":
    main()
