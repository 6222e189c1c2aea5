"""Which texts are nearly the same, such as chunks of copies of a document. Pure; fast enough to run on the loop.

Knows nothing of hits: the caller gives the texts best first, and decides what to do with the copies.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

MIN_OVERLAP = 0.9  # Jaccard similarity of the shingles of two copies
_SHINGLE = 8  # characters: the same for scripts with and without spaces
_SAMPLE = 12  # the lowest hashes of a text
# Share of two samples from which on the texts are compared; that of texts with an overlap of 0.9 is some 0.9, too.
_SHARED = 0.4
_COMPARED = 3  # texts that one is compared with at most: those that share most
_DIGITS = re.compile(r"\d+")
_FACTOR = np.uint32(0x9E3779B1)

Shingles = NDArray[np.uint32]  # hashes, ascending


def copies(texts: Sequence[str]) -> list[int]:
    """For each text the index of the first one that it is a copy of; its own index where it is not a copy.

    A copy has the same text in NFKC, without regard to case and white space; or at least MIN_OVERLAP of
    both texts' shingles, and the same numbers in the same order: of two invoices that only differ in their numbers,
    each says something else. Only texts that are no copies themselves are compared with. Takes one to two
    milliseconds for 50 texts of 1 000 characters.
    """
    plain = [_plain(text) for text in texts]
    first: dict[str, int] = {}
    result = [first.setdefault(text, index) for index, text in enumerate(plain)]
    unique = list(first.values())
    kept: dict[int, Shingles] = {}
    by_shingle: dict[int, list[int]] = {}
    for index, shingles in zip(unique, _shingles([plain[index] for index in unique]), strict=True):
        sample = set(shingles[:_SAMPLE].tolist())
        shared = Counter(other for each in sample for other in by_shingle.get(each, ()))
        for other, count in shared.most_common(_COMPARED):
            if count < len(sample) * _SHARED:
                continue
            similar = _overlap(kept[other], shingles) >= MIN_OVERLAP
            if similar and _numbers(plain[other]) == _numbers(plain[index]):
                result[index] = other
                break
        else:
            kept[index] = shingles
            for each in sample:
                by_shingle.setdefault(each, []).append(index)
    return [result[index] for index in result]


def _plain(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\u00ad", "")
    return " ".join(text.casefold().split())


def _shingles(texts: Sequence[str]) -> Iterator[Shingles]:
    """Those of each text, all hashed at once; a text that is shorter than a shingle has none."""
    joined = "".join(texts)
    characters = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    hashes, length = (characters + np.uint32(1)) * _FACTOR, 1
    while length < _SHINGLE and len(hashes) > length:
        # Each step hashes twice as many characters: the hash of the first half, mixed, with that of the second.
        left, right = hashes[:-length], hashes[length:]
        hashes = (left ^ (left >> np.uint32(15))) * _FACTOR + right
        length *= 2
    hashes ^= hashes >> np.uint32(16)
    start = 0
    for text in texts:
        yield np.sort(hashes[start : start + max(0, len(text) - _SHINGLE + 1)])
        start += len(text)


def _overlap(one: Shingles, other: Shingles) -> float:
    both = np.sort(np.concatenate((_once(one), _once(other))))
    common = int(np.count_nonzero(both[1:] == both[:-1]))
    return common / max(1, len(both) - common)


def _once(hashes: Shingles) -> Shingles:
    return hashes[np.concatenate(([True], hashes[1:] != hashes[:-1]))] if len(hashes) else hashes


def _numbers(text: str) -> list[str]:
    return _DIGITS.findall(text)
