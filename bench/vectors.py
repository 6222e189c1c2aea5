"""A million real vectors to measure an index with, and questions that are not among them; made once, in steps.

`nice python -m bench.vectors` makes what is missing below build/bench/vectors, with the bundled model, and goes on
where it was stopped. The first 110 000 are definitions of WordNet. The others are of passages of sentences from
manuals and dictionaries that Debian has: a sentence is read once, and the embeddings of its words are pooled over the
whole and over up to nine windows of it, as "late chunking" does; each is a vector of its own, no two of the same words.
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

from bench.corpus import HOME, ROOT, glosses, package
from pipeline.compute.messages import ModelSpec
from pipeline.embedding import model

FOLDER = HOME / "vectors"
MILLION = 1_000_000
QUESTIONS = 500
DEFINITIONS = 110_000
_SEED = 20_261_123
_STEP = 10_000
_SENTENCES = 2000  # in one step
_PASSAGES = 10  # of one sentence
_SHORTEST = 4  # words of a window, or parts of words
_WORDS = range(5, 41)
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\n\s*\n")
_MARKUP = re.compile(r"<(script|style).*?</\1>|<[^>]+>|[`*|{}\\=_#]+", re.DOTALL)
_SPEC = ModelSpec("sentence-transformers/all-MiniLM-L6-v2", "auto")
_NAMES = re.compile(r"[A-Za-z]")


def vectors(count: int) -> NDArray[np.float16]:
    """The first `count` of a million vectors, (count, 384), mapped. Up to 110 000 they are all of definitions."""
    _make()
    found: NDArray[np.float16] = np.load(FOLDER / "vectors.npy", mmap_mode="r")[:count]
    return found


def questions() -> NDArray[np.float32]:
    """500 vectors, (500, 384), of texts that are not in the index.

    One half are definitions that were held out, the other such as "What is a truffle?".
    """
    _make()
    return np.asarray(np.load(FOLDER / "questions.npy"), np.float32)


def _make() -> None:
    if not (FOLDER / "vectors.npy").exists():
        print("Embedding a million passages, which takes an hour or less.", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "bench.vectors"], cwd=ROOT, check=True)


def _sentences(text: str) -> Iterator[str]:
    for sentence in _SENTENCE_END.split(html.unescape(_MARKUP.sub(" ", text))):
        words = sentence.split()
        plain = " ".join(words)
        if len(words) in _WORDS and len(_NAMES.findall(plain)) > 0.7 * len(plain):
            yield plain


def _manuals() -> Iterator[str]:
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
    """Definitions, sentences, and questions."""
    chance = random.Random(_SEED)
    definitions = list(dict.fromkeys(glosses()))
    chance.shuffle(definitions)
    held_out, definitions = definitions[: QUESTIONS // 2], definitions[QUESTIONS // 2 :]
    others = [text for text in dict.fromkeys(_manuals()) if text not in set(held_out)]
    chance.shuffle(others)
    return definitions[:DEFINITIONS], others, held_out + chance.sample(_lemmas(), QUESTIONS - len(held_out))


def _lemmas() -> list[str]:
    folder = package("wordnet-base") / "usr" / "share" / "wordnet"
    lines = (folder / "data.noun").read_text("utf-8", "replace").splitlines()
    return [f"What is a {line.split()[4].replace('_', ' ')}?" for line in lines if not line.startswith("  ")]


def _embed(texts: list[str], path: Path) -> None:
    _save(path, model.load(_SPEC).embed(texts))


def _embed_passages(sentences: list[str], path: Path) -> None:
    chance = np.random.default_rng(_SEED)
    found = []
    for words in model.sentence_transformer(_SPEC.name, model.load(_SPEC).info.precision).encode(
        sentences, output_value="token_embeddings", batch_size=32
    ):
        words = words.float().numpy()
        # The first and the last stand for the whole, and belong to no window.
        starts = chance.integers(1, max(2, len(words) - _SHORTEST), _PASSAGES - 1)
        ends = np.minimum(starts + chance.integers(_SHORTEST, 2 * _SHORTEST + 1, len(starts)), len(words) - 1)
        windows = {(start, end) for start, end in zip(starts, ends, strict=True) if end - start >= _SHORTEST}
        found += [words.mean(axis=0), *(words[start:end].mean(axis=0) for start, end in sorted(windows))]
    pooled = np.stack(found)
    _save(path, pooled / np.linalg.norm(pooled, axis=1, keepdims=True))


def _save(path: Path, found: NDArray[np.floating]) -> None:
    fresh = path.with_suffix(f".{os.getpid()}")
    with fresh.open("wb") as file:
        np.save(file, found.astype(np.float16))
    fresh.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.vectors", description=__doc__)
    parser.add_argument("--part", default="0/1", help="the share of this process, as 0/2 and 1/2")
    share, of = map(int, parser.parse_args().part.split("/"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    definitions, sentences, asked = _texts()
    first = [FOLDER / f"{start:07}.npy" for start in range(0, len(definitions), _STEP)]
    for number, path in enumerate(first):
        if number % of == share and not path.exists():
            _embed(definitions[number * _STEP : (number + 1) * _STEP], path)
    if not (FOLDER / "questions.npy").exists():
        _embed(asked, FOLDER / "questions.npy")
    number, held = 0, DEFINITIONS
    while held < MILLION:
        path = FOLDER / f"passages-{number:04}.npy"
        if number % of == share and not path.exists():
            begun = time.monotonic()
            _embed_passages(sentences[number * _SENTENCES : (number + 1) * _SENTENCES], path)
            print(f"{path.name}: {_SENTENCES / (time.monotonic() - begun):.0f} sentences/s", flush=True)
        # Another process may still be at some of those before.
        done = sorted(FOLDER.glob("passages-*.npy"))
        held = DEFINITIONS + sum(len(np.load(each, mmap_mode="r")) for each in done)
        number += 1
    rest = np.concatenate([np.load(each) for each in done])
    np.random.default_rng(_SEED).shuffle(rest)
    _save(FOLDER / "vectors.npy", np.concatenate([*map(np.load, first), rest])[:MILLION])


if __name__ == "__main__":
    main()
