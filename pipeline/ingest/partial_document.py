"""Documents between being read and being stored: packed into tasks, their vectors come in, part by part. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.compute.messages import ReadDocument
from semantik.core.models import Document

_LEAST_SHARE = 16  # chunks of a document in a task, so that a task has not too many of them
_LEAST_LAST = 32  # chunks of a task when all is read: tasks of fewer are more to send than to do


@dataclass
class PartialDocument:
    """A document and its vectors (chunks, dimension). `todo` are the numbers of the chunks that must be embedded.

    `twins` have the same passages, and get the same vectors when this one is `done`: when it has them all.
    """

    document: Document
    read: ReadDocument
    vectors: NDArray[np.float16] | None = None
    todo: list[int] = field(default_factory=list)
    packed: int = 0
    missing: int = 0
    done: bool = False
    failure: str | None = None
    twins: list[PartialDocument] = field(default_factory=list)

    def begin(self, known: Mapping[str, NDArray[np.float16]]) -> None:
        """Start with the vectors that are known, by the passages' texts."""
        texts = self.read.chunks.texts
        self.todo = [number for number, text in enumerate(texts) if text not in known]
        self.missing = len(self.todo)
        for number, text in enumerate(texts):
            if text in known:
                self._place(number, known[text])

    def pack(self, most: int) -> ChunkSlice:
        """The next chunks for an embedding task."""
        numbers = self.todo[self.packed : self.packed + most]
        self.packed += len(numbers)
        return ChunkSlice(self, numbers)

    @property
    def unpacked(self) -> int:
        """How many chunks wait for an embedding task."""
        return len(self.todo) - self.packed

    def take(self, numbers: list[int], vectors: NDArray[np.float16]) -> bool:
        """Put in the vectors of some chunks; True when it has them all, and has not failed."""
        for number, vector in zip(numbers, vectors, strict=True):
            self._place(number, vector)
        self.missing -= len(numbers)
        return self.missing == 0 and self.failure is None

    def _place(self, number: int, vector: NDArray[np.float16]) -> None:
        if self.vectors is None:
            self.vectors = np.empty((len(self.read.chunks), len(vector)), np.float16)
        self.vectors[number] = vector


@dataclass(frozen=True)
class ChunkSlice:
    """What one embedding task holds of a document: the numbers of its chunks."""

    growing: PartialDocument
    numbers: list[int]

    def texts(self) -> list[str]:
        texts = self.growing.read.chunks.texts
        return [texts[number] for number in self.numbers]


def pack(line: deque[PartialDocument], room: int) -> list[ChunkSlice]:
    """Fill a task of `room` chunks, a share of each document; those that have chunks left go to the end of the line."""
    pieces: list[ChunkSlice] = []
    while room and line:
        one = line.popleft()
        share = max(_LEAST_SHARE, room // (len(line) + 1))
        pieces.append(one.pack(min(room, share)))
        room -= len(pieces[-1].numbers)
        if one.unpacked:
            line.append(one)
    return pieces


def final_batch_size(line: Iterable[PartialDocument], most: int, abreast: int) -> int:
    """Chunks of the next task when nothing more is read: ever fewer, so that all workers come to the end together."""
    left = sum(one.unpacked for one in line)
    return min(most, max(_LEAST_LAST, left // abreast))
