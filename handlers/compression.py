"""Whether a client takes gzip, and which answers are worth it. Pure; packing one takes a millisecond at most."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping

_REFUSED = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")
# What fits into one packet is not sooner there; what is larger would hold the loop.
_LEAST_BYTES, _MOST_BYTES = 1400, 256 << 10
_LEVEL = 1


def takes_gzip(headers: Mapping[str, str]) -> bool:
    """By the header `Accept-Encoding` of a request."""
    accepted = headers.get("Accept-Encoding", "")
    return "gzip" in accepted and not _REFUSED.search(accepted)


def is_worth_packing(body: bytes) -> bool:
    return _LEAST_BYTES <= len(body) <= _MOST_BYTES


def packed(body: bytes) -> bytes:
    """Equal for equal bodies: the answer's ETag is made of it."""
    return gzip.compress(body, _LEVEL, mtime=0)
