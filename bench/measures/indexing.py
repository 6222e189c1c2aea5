"""Indexing a folder end to end, compared with loops that only embed the same chunks.

The folder is `corpus.documents()`. The server is timed from the POST of a collection until a search finds it; the loops
get the chunks as texts. All are measured in turn; rates are chunks per second.
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

from bench import encoder_loops
from bench.chunks import MODEL, read_chunks
from bench.corpus import documents
from bench.results import Result
from bench.server_process import index_until_found, run_server
from bench.sizes import sized
from pipeline.compute.messages import ModelSpec
from pipeline.embedding import model

_ROUNDS = sized(2, 1)
_DEFAULT_SAMPLE = sized(1000, 250)  # chunks of a round, sampled evenly over all: this loop is slow
_FAST_SAMPLE = sized(2500, 600)
_QUALITY_SAMPLE, _QUERIES, _TOP = sized(2500, 600), sized(500, 150), 10
_SAMPLE_S = 1.0
_MIB = 1 << 20


@dataclass
class _ServerRates:
    """Measurements of the server in one precision: chunks per second, and the largest worker's own memory (USS)."""

    rates: list[float] = field(default_factory=list)
    worker_uss: list[int] = field(default_factory=list)


def measure() -> Iterator[Result]:
    cores = os.cpu_count() or 1
    encoder = model.load(ModelSpec(MODEL, "auto"))
    auto = encoder.info.precision
    documents_read = read_chunks(documents())
    texts = [text for each in documents_read for text in each.chunks.texts]
    server = {precision: _ServerRates() for precision in dict.fromkeys((auto, "float32"))}
    rates: dict[str, list[float]] = {"default": [], "library": [], "semantik": []}
    with ExitStack() as stack:
        default = stack.enter_context(encoder_loops.start_loop("library", "float32", 1, cores))
        library = stack.enter_context(encoder_loops.start_loop("library", auto, cores, 1))
        semantik = stack.enter_context(encoder_loops.start_loop("semantik", auto, cores, 1))
        for _ in range(_ROUNDS):
            for name, loop, count in (
                ("default", default, _DEFAULT_SAMPLE),
                ("library", library, _FAST_SAMPLE),
                ("semantik", semantik, _FAST_SAMPLE),
            ):
                sample = _sample_evenly(texts, count)
                rates[name].append(len(sample) / loop.embed_seconds(sample))
            for precision, measured in server.items():
                asyncio.run(_index(precision, measured))
        float32 = stack.enter_context(encoder_loops.start_loop("semantik", "float32", cores, 1))
        quality = list(_quality(texts, semantik, float32))
    median = {name: statistics.median(each) for name, each in rates.items()}
    folder = f"{len(texts):,} chunks of {len(documents_read)} documents"
    for precision, measured in server.items():
        yield Result(
            f"index a folder, {precision}",
            statistics.median(measured.rates),
            "chunks/s",
            median["default"],
            f"SentenceTransformer.encode, float32, {cores} cores",
            minimum=1.1 if precision == "float32" else 3.5,
            note=folder,
        )
    rate = statistics.median(server[auto].rates)
    loop_name = f"one loop per core in {auto}: "
    yield Result(
        "the same",
        rate,
        "chunks/s",
        median["library"],
        loop_name + "SentenceTransformer.encode",
        minimum=0.92,
    )
    yield Result("the same", rate, "chunks/s", median["semantik"], loop_name + "the encoder of Semantik")
    yield from quality
    yield _tokens_read(texts, encoder)
    yield Result(
        "a worker's own memory, at work", max(server[auto].worker_uss) / _MIB, "MB (USS)", maximum=150
    )


async def _index(precision: str, measured: _ServerRates) -> None:
    with tempfile.TemporaryDirectory(prefix="semantik-bench-") as data:
        async with run_server(data, "--embedding-precision", precision) as server:
            with _Memory(server.pid) as memory:
                seconds, record = await index_until_found(server, documents())
            measured.rates.append(record["result"]["chunks"] / seconds)
            measured.worker_uss.append(memory.peak)


class _Memory:
    """Samples the workers' own memory (USS, bytes) while entered; `peak` is the largest of any worker."""

    def __init__(self, pid: int) -> None:
        self._server = psutil.Process(pid)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self.peak = 0

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stopped.wait(_SAMPLE_S):
            self.peak = max([self.peak, *self._sizes()])

    def _sizes(self) -> list[int]:
        """The sizes of the workers: processes with the command of a fork server and without children."""
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


def _quality(
    texts: Sequence[str], fast: encoder_loops.EncoderLoop, float32: encoder_loops.EncoderLoop
) -> Iterator[Result]:
    sample = _sample_evenly(texts, _QUALITY_SAMPLE)
    queries = [text.split(". ")[0][:120] for text in _sample_evenly(texts, _QUERIES)]
    exact_vectors, fast_vectors = float32.embed(sample), fast.embed(sample)
    yield Result(
        "vectors compared with float32",
        float((exact_vectors * fast_vectors).sum(1).mean()),
        "mean cosine",
        minimum=0.999,
    )
    top = [
        (query_vectors @ chunk_vectors.T).argsort(1)[:, -_TOP:]
        for query_vectors, chunk_vectors in (
            (float32.embed(queries), exact_vectors),
            (fast.embed(queries), fast_vectors),
        )
    ]
    identical = sum(set(a) == set(b) for a, b in zip(*top, strict=True)) / len(queries)
    overlap = sum(len(set(a) & set(b)) for a, b in zip(*top, strict=True)) / top[0].size
    note = f"{len(queries)} queries, {len(sample)} chunks; {overlap:.2%} of all hits are the same"
    yield Result(f"the same top {_TOP} as in float32", 100 * identical, "% of queries", note=note)


def _tokens_read(texts: Sequence[str], encoder: model.Model) -> Result:
    lengths = [
        len(each) for each in encoder.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    ]
    read = sum(min(length, encoder.info.max_chunk_tokens) for length in lengths)
    return Result("tokens of the chunks that the model reads", 100 * read / sum(lengths), "%", minimum=100)


def _sample_evenly(texts: Sequence[str], count: int) -> list[str]:
    count = min(count, len(texts))
    return [texts[at * len(texts) // count] for at in range(count)]
