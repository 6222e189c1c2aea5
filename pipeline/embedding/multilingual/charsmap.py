"""Replacements of single characters as a SentencePiece charsmap, which tokenizers' Precompiled normalizer reads. Pure.

A charsmap is a trie of UTF-8 bytes as a double array (that of darts-clone: 32-bit units), and the replacements.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

_HAS_LEAF, _LEAF = 1 << 8, 1 << 31
_OFFSET_SHIFT, _OFFSETS = 10, 1 << 21
_BLOCK = 256


@dataclass
class _Node:
    """A node of the trie; `value` is where the replacement of the bytes that lead to it starts."""

    children: dict[int, _Node] = field(default_factory=dict)
    value: int | None = None


def charsmap(replacements: Mapping[str, str]) -> bytes:
    """The charsmap that replaces each of the characters; none may be NUL."""
    root = _Node()
    texts = bytearray()
    for character, replacement in replacements.items():
        node = root
        for byte in character.encode():
            node = node.children.setdefault(byte, _Node())
        node.value = len(texts)
        texts += replacement.encode() + b"\0"
    units = _double_array(root)
    return struct.pack(f"<I{len(units)}I", len(units) * 4, *units) + bytes(texts)


def _double_array(root: _Node) -> list[int]:
    """The units: a node's children are at `base ^ byte`, its leaf at `base`, and its unit says what `base` is."""
    units = [0] * _BLOCK
    used = bytearray(_BLOCK)
    used[0] = 1
    bases = {0}  # each node has its own: a walk checks a unit's byte, not from which node it came
    first_leaf = 1  # all positions before it are used
    pending = [(0, 0, root)]  # position of the unit, its byte, node
    while pending:
        position, byte, node = pending.pop()
        labels = [*node.children, *([0] if node.value is not None else [])]
        base = first_leaf if labels == [0] else first_leaf // _BLOCK * _BLOCK
        while base in bases or any(base ^ label < len(used) and used[base ^ label] for label in labels):
            base += 1
        if labels == [0]:
            first_leaf = base
        bases.add(base)
        while len(used) <= base | (_BLOCK - 1):
            used += bytes(_BLOCK)
            units += [0] * _BLOCK
        assert position ^ base < _OFFSETS
        units[position] = (position ^ base) << _OFFSET_SHIFT | byte
        for label in labels:
            used[base ^ label] = 1
        if node.value is not None:
            units[position] |= _HAS_LEAF
            units[base] = _LEAF | node.value
        pending += [(base ^ label, label, child) for label, child in node.children.items()]
    return units
