"""Indexing a folder, end to end, beside loops that do nothing but embed the same passages.

The folder is `corpus.documents()`. Ours is the time from the POST of a collection until it is found; the loops have
the passages ready. Each is measured in turn; rates are passages a second.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import psutil

from bench import loops
from bench.corpus import documents
from bench.figures import Figure
from bench.passages import MODEL, read
from bench.serving import serving, until_found
from pipeline.compute.messages import ModelSpec
from pipeline.embedding import model

_ROUNDS = 2
_BARE = 1000  # passages of a round, spread evenly over all: it is slow
_BEST = 2500
_SAMPLE, _QUESTIONS, _TOP = 2500, 500, 10
_SAMPLE_S = 1.0
_MIB = 1 << 20


@dataclass
class _Ours:
    """What was measured of the server in one precision: passages a second, and its workers' own memory."""

    rates: list[float] = field(default_factory=list)
    at_work: list[int] = field(default_factory=list)


def measure() -> Iterator[Figure]:
    cores = os.cpu_count() or 1
    loaded = model.load(ModelSpec(MODEL, "auto"))
    auto = loaded.info.precision
    documents_read = read(documents())
    texts = [text for each in documents_read for text in each.chunks.texts]
    ours = {precision: _Ours() for precision in dict.fromkeys((auto, "float32"))}
    rates: dict[str, list[float]] = {"bare": [], "library": [], "ours": []}
    with ExitStack() as stack:
        bare = stack.enter_context(loops.loop("library", "float32", 1, cores))
        library = stack.enter_context(loops.loop("library", auto, cores, 1))
        best = stack.enter_context(loops.loop("ours", auto, cores, 1))
        for _ in range(_ROUNDS):
            for name, loop, count in (
                ("bare", bare, _BARE),
                ("library", library, _BEST),
                ("ours", best, _BEST),
            ):
                some = _spread(texts, count)
                rates[name].append(len(some) / loop.seconds(some))
            for precision, found in ours.items():
                asyncio.run(_index(precision, found))
        exact = stack.enter_context(loops.loop("ours", "float32", cores, 1))
        quality = list(_quality(texts, best, exact))
    median = {name: statistics.median(each) for name, each in rates.items()}
    folder = f"{len(texts):,} passages of {len(documents_read)} documents"
    for precision, found in ours.items():
        yield Figure(
            f"index a folder, {precision}",
            statistics.median(found.rates),
            "passages/s",
            median["bare"],
            f"SentenceTransformer.encode, float32, {cores} cores",
            least=1.1 if precision == "float32" else 3.5,
            note=folder,
        )
    rate = statistics.median(ours[auto].rates)
    against = f"one loop per core in {auto}: "
    yield Figure(
        "the same", rate, "passages/s", median["library"], against + "SentenceTransformer.encode", least=0.92
    )
    yield Figure("the same", rate, "passages/s", median["ours"], against + "our own encoder")
    yield from quality
    yield _tokens_read(texts, loaded)
    yield Figure("a worker's own memory, at work", max(ours[auto].at_work) / _MIB, "MB (USS)", most=150)


async def _index(precision: str, found: _Ours) -> None:
    with tempfile.TemporaryDirectory(prefix="semantik-bench-") as data:
        async with serving(data, "--embedding-precision", precision) as server:
            with _Memory(server.pid) as memory:
                seconds, record = await until_found(server, documents())
            found.rates.append(record["result"]["chunks"] / seconds)
            found.at_work.append(memory.most)


class _Memory:
    """Looks at the workers' own memory (USS, bytes) while it is entered: the most that one of them had."""

    def __init__(self, pid: int) -> None:
        self._server = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on)
        self.most = 0

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._over.wait(_SAMPLE_S):
            self.most = max([self.most, *self._sizes()])

    def _sizes(self) -> list[int]:
        """Of the workers: they have the command of the fork servers, and no children."""
        found: dict[int, psutil.Process] = {}
        parents = set()
        for each in self._server.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if "forkserver" in " ".join(each.cmdline()):
                    found[each.pid] = each
                    parents.add(each.ppid())
        sizes = []
        for pid in found.keys() - parents:
            with suppress(psutil.NoSuchProcess):
                sizes.append(found[pid].memory_full_info().uss)
        return sizes


def _quality(texts: Sequence[str], fast: loops.Loop, exact: loops.Loop) -> Iterator[Figure]:
    some = _spread(texts, _SAMPLE)
    questions = [text.split(". ")[0][:120] for text in _spread(texts, _QUESTIONS)]
    there, ours = exact.vectors(some), fast.vectors(some)
    yield Figure("vectors beside float32", float((there * ours).sum(1).mean()), "mean cosine", least=0.999)
    best = [
        (asked @ kept.T).argsort(1)[:, -_TOP:]
        for asked, kept in ((exact.vectors(questions), there), (fast.vectors(questions), ours))
    ]
    same = sum(set(a) == set(b) for a, b in zip(*best, strict=True)) / len(questions)
    shared = sum(len(set(a) & set(b)) for a, b in zip(*best, strict=True)) / best[0].size
    note = (
        f"{len(questions)} questions, {len(some)} passages; {shared:.2%} of all that are found are the same"
    )
    yield Figure(f"the same top {_TOP} as in float32", 100 * same, "% of questions", note=note)


def _tokens_read(texts: Sequence[str], loaded: model.Model) -> Figure:
    lengths = [
        len(each) for each in loaded.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    ]
    read = sum(min(length, loaded.info.max_chunk_tokens) for length in lengths)
    return Figure("tokens of the passages that the model reads", 100 * read / sum(lengths), "%", least=100)


def _spread(texts: Sequence[str], count: int) -> list[str]:
    count = min(count, len(texts))
    return [texts[at * len(texts) // count] for at in range(count)]
