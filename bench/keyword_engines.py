"""One engine for words, in a process of its own: `python -m bench.keyword_engines ENGINE CHUNKS FOLDER` prints JSON.

The texts are generated: words by Zipf's law with a long tail, as many different ones as English has at that size.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ENGINES = ("tantivy", "fts5", "bm25s")
K = 100
_BATCH = 1000
_WORDS = 600_000
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"

Search = Callable[[str], object]


def make_words() -> list[str]:
    """Different words; frequent ones are short."""
    syllables = [consonant + vowel for vowel in _VOWELS for consonant in _CONSONANTS]
    found = []
    for rank in range(_WORDS):
        word = ""
        while rank or not word:
            word += syllables[rank % len(syllables)]
            rank //= len(syllables)
        found.append(word)
    return found


def texts(count: int, words: list[str]) -> Iterator[list[str]]:
    """Batches of texts of 60 to 160 words."""
    rank = np.arange(1, _WORDS + 1)
    shares = 1 / (rank + 2.7)
    shares[8000:] *= (rank[8000:] / 8000) ** -0.7
    sums = np.cumsum(shares / shares.sum())
    rng = np.random.default_rng(1)
    for _ in range(0, count, _BATCH):
        lengths = rng.integers(60, 160, _BATCH)
        ends = np.cumsum(lengths)
        drawn = np.minimum(np.searchsorted(sums, rng.random(ends[-1])), _WORDS - 1).tolist()
        yield [
            " ".join([words[each] for each in drawn[end - length : end]])
            for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)
        ]


def queries(words: list[str], count: int = 40) -> list[str]:
    """Questions of four frequent words and four others."""
    rng = np.random.default_rng(2)
    drawn = [[*rng.integers(0, 40, 4), *rng.integers(300, 20_000, 4)] for _ in range(count)]
    return [" ".join(words[rank] for rank in ranks) for ranks in drawn]


def tantivy(batches: Iterator[list[str]], folder: Path) -> Callable[[], Search]:
    """As the server uses it, without its analysis of texts."""
    from semantik.index.keyword.queries import make_query
    from semantik.index.keyword.searching import search
    from semantik.index.keyword.state import load_state
    from semantik.query import parse

    state = load_state(folder, [])
    first = 0
    for batch in batches:
        state.add(np.arange(first, first + len(batch)), [(text, "", "", "") for text in batch])
        first += len(batch)
    state.close_files()

    def opened() -> Search:
        snapshot = load_state(folder, []).open_snapshot()

        def ask(text: str) -> object:
            total = snapshot.searcher.num_docs
            query = make_query(parse(text), ("en",), snapshot.frequency, lambda prefix, limit: [], total)
            return search(snapshot, query, K, None, None)

        return ask

    return opened


def fts5(batches: Iterator[list[str]], folder: Path) -> Callable[[], Search]:
    folder.mkdir(parents=True)
    store = sqlite3.connect(folder / "words.db")
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("CREATE VIRTUAL TABLE words USING fts5(text, content = '', tokenize = 'unicode61')")
    for batch in batches:
        store.executemany("INSERT INTO words (text) VALUES (?)", ((text,) for text in batch))
        store.commit()
    store.execute("INSERT INTO words (words) VALUES ('optimize')")
    store.commit()
    store.close()

    def opened() -> Search:
        reading = sqlite3.connect(folder / "words.db")
        statement = "SELECT rowid, rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?"
        return lambda text: reading.execute(statement, (" OR ".join(text.split()), K)).fetchall()

    return opened


def bm25s(batches: Iterator[list[str]], folder: Path) -> Callable[[], Search]:
    import bm25s as library

    tokens = library.tokenize(
        [text for batch in batches for text in batch], stopwords=None, show_progress=False
    )
    index = library.BM25()
    index.index(tokens, show_progress=False)
    index.save(folder)
    del index, tokens

    def opened() -> Search:
        loaded = library.BM25.load(folder, mmap=True)

        def ask(text: str) -> object:
            asked = library.tokenize([text], stopwords=None, show_progress=False)
            return loaded.retrieve(asked, k=K, show_progress=False)

        return ask

    return opened


def run(engine: str, count: int, folder: Path) -> dict[str, Any]:
    """Build time (CPU s), p50 of a search (CPU ms), size on disk and private memory added by opening it (MB)."""
    words = make_words()
    size = 0

    def counted() -> Iterator[list[str]]:
        nonlocal size
        for batch in texts(count, words):
            size += sum(map(len, batch))
            yield batch

    started = time.process_time()
    opened = {"tantivy": tantivy, "fts5": fts5, "bm25s": bm25s}[engine](counted(), folder)
    built_s = time.process_time() - started
    before = private_bytes()
    ask = opened()
    asked = queries(words)
    times = []
    for text in asked + asked:
        started = time.process_time()
        ask(text)
        times.append(time.process_time() - started)
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {
        "built_s": built_s,
        "p50_ms": float(np.median(times[len(asked) :])) * 1e3,
        "disk_share": disk / size,
        "memory_mb": (private_bytes() - before) / 1e6,
    }


def private_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
