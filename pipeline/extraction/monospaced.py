"""Which fonts give every letter the same width: a paragraph in such a font is code, and keeps its spaces. Pure."""

from __future__ import annotations

import re

_NAME = re.compile(
    r"(?i)\b(?:courier|consolas|menlo|monaco|inconsolata|hack\Z|andale|fixedsys|terminal|typewriter"
    r"|lucida console|ocr a)|mono\b|monospaced?\b|\bcode\b|(?<=[a-z])Mono\b"
)


def is_monospaced(font: str) -> bool:
    """Whether the name of a font says so."""
    return bool(_NAME.search(font))
