"""What every vector index checks of what it is given. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import Invalid

# How far a vector's length may be from 1: more than any rounding does.
_LENGTH_TOLERANCE = 0.01
_CHECK_ROWS = 8192


def checked_rows(seqs: NDArray[np.int64], vectors: NDArray[np.float16], dimension: int) -> None:
    """Raises Invalid unless these are ascending seqs (n) and vectors (n, dimension)."""
    checked_shapes(seqs, vectors, dimension)
    checked_seqs(seqs)


def checked_shapes(seqs: NDArray[np.int64], vectors: NDArray[np.float16], dimension: int) -> None:
    """Raises Invalid for other types or shapes."""
    if seqs.dtype != np.int64 or vectors.dtype != np.float16:
        raise Invalid("An index takes seqs as int64 and vectors as float16.")
    if vectors.ndim != 2 or seqs.shape != vectors.shape[:1] or vectors.shape[1] != dimension:
        raise Invalid(
            f"{seqs.shape} seqs and {vectors.shape} vectors do not make rows of {dimension} numbers."
        )


def checked_seqs(seqs: NDArray[np.int64]) -> None:
    """Raises Invalid for seqs that are not ascending or negative."""
    if len(seqs) and (seqs[0] < 0 or (np.diff(seqs) <= 0).any()):
        raise Invalid("Seqs must be ascending and not negative.")


def has_unit_length(vectors: NDArray[np.float16]) -> NDArray[np.bool_]:
    """Which of the vectors (n, dimension) are finite and of length 1: a mask (n)."""
    valid = np.empty(len(vectors), np.bool_)
    for start in range(0, len(vectors), _CHECK_ROWS):
        block = vectors[start : start + _CHECK_ROWS].astype(np.float32)
        valid[start : start + _CHECK_ROWS] = np.abs(np.linalg.norm(block, axis=1) - 1) <= _LENGTH_TOLERANCE
    return valid


def unit_vector(vector: NDArray[np.float32], dimension: int) -> NDArray[np.float64]:
    """A query's vector, of length 1. Raises Invalid for another shape, length 0, or numbers that are not finite."""
    unit = np.asarray(vector, np.float64)
    length = float(np.linalg.norm(unit))
    if unit.shape != (dimension,) or not (0 < length < np.inf):
        raise Invalid(f"A query must be a vector of {dimension} finite numbers, not all zero.")
    return unit / length
