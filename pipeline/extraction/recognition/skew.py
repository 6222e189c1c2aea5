"""Which way the lines of text run in the picture of a page: their axis, and how far they are from it. Pure.

A projection of the dark points along the lines has sharp steps between lines and gaps; the angle with the sharpest
steps is that of the lines. Runs in the worker processes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE = 900  # pixels of the longer side at which the angle is measured
_MAX_POINTS = 60_000
_MAX_DEGREES = 20.0
_COARSE, _FINE = 1.0, 0.1  # degrees
_MIN_POINTS = 200
_MIN_GAIN = 1.02  # an angle is only believed if its steps are so much sharper than those of straight lines

Points = NDArray[np.float64]


@dataclass(frozen=True)
class LineDirection:
    """`vertical`: the lines run from top to bottom or back. `degrees`: turn the picture so far counter-clockwise,
    after a quarter turn where `vertical`, and the lines are level."""

    vertical: bool
    degrees: float


def line_direction(picture: Image.Image) -> LineDirection:
    """The direction of the lines in a grey picture with dark text."""
    xs, ys = _dark_points(picture)
    if len(xs) < _MIN_POINTS:
        return LineDirection(False, 0.0)
    level, level_sharpness = _best_angle(xs, ys)
    upright, upright_sharpness = _best_angle(ys, -xs)  # as after a quarter turn counter-clockwise
    if upright_sharpness > level_sharpness:
        return LineDirection(True, upright)
    return LineDirection(False, level)


def _dark_points(picture: Image.Image) -> tuple[Points, Points]:
    """Columns and rows of the points that are darker than what surrounds them."""
    scale = _SIDE / max(picture.size)
    if scale < 1:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.BOX)
    grey = np.asarray(picture, np.float32)
    dark = grey < (grey.mean() + float(np.percentile(grey, 1))) / 2
    rows, columns = np.nonzero(dark)
    step = max(1, len(rows) // _MAX_POINTS)
    return columns[::step].astype(np.float64), rows[::step].astype(np.float64)


def _best_angle(xs: Points, ys: Points) -> tuple[float, float]:
    """The angle in degrees with the sharpest projection, and how sharp it is."""
    straight = _sharpness(xs, ys, 0.0)
    best, sharpness = 0.0, straight
    for step, reach in ((_COARSE, _MAX_DEGREES), (_FINE, _COARSE)):
        for angle in np.arange(best - reach, best + reach + step / 2, step):
            if abs(angle) <= _MAX_DEGREES and (value := _sharpness(xs, ys, float(angle))) > sharpness:
                best, sharpness = float(angle), value
    return (best, sharpness) if sharpness > _MIN_GAIN * straight else (0.0, straight)


def _sharpness(xs: Points, ys: Points, degrees: float) -> float:
    """The sum of squared differences between neighbouring rows of the projection."""
    radians = np.deg2rad(degrees)
    rows = ys * np.cos(radians) - xs * np.sin(radians)
    profile = np.bincount((rows - rows.min()).astype(np.int64)).astype(np.float64)
    return float(np.square(np.diff(profile)).sum())
