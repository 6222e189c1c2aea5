"""Pictures of pages with text, as a scanner or a camera makes them: turned, skewed, noisy. Pillow brings the font."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PAPER, INK = 245, 25
_TEXT = """orchard keeper writes down how many baskets of early pears leave for the market every morning and which
ladder needs a new rung before the pickers climb into the tall trees near the brick wall of the old garden"""
_WORDS = _TEXT.split()


def lines_of_text(seed: int, count: int = 6, words: int = 5) -> list[str]:
    """Lines of plain words, always the same for a seed; the first has the number of the seed."""
    choose = random.Random(seed)
    lines = [" ".join(choose.choice(_WORDS) for _ in range(words)) for _ in range(count)]
    return [f"Basket {1000 + seed} {lines[0]}", *lines[1:]]


def page(lines: Sequence[str], pixels: int = 26) -> Image.Image:
    """A grey page with one line of text below the other; `pixels` is the size of the font."""
    font = ImageFont.load_default(pixels)
    width = max(int(font.getlength(line)) for line in lines) + 4 * pixels
    picture = Image.new("L", (width, int(1.6 * pixels * (len(lines) + 2))), PAPER)
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines, 1):
        draw.text((2 * pixels, int(1.6 * pixels * number)), line, fill=INK, font=font)
    return picture


def turned(picture: Image.Image, degrees: float) -> Image.Image:
    """Turned counter-clockwise on a white ground, as a page that lies askew in the scanner."""
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=PAPER)


def noisy(picture: Image.Image, seed: int = 1, deviation: float = 18.0) -> Image.Image:
    """With the grain of a bad scan, and some black and white specks."""
    generator = np.random.default_rng(seed)
    grey = np.asarray(picture, np.float32) + generator.normal(0, deviation, picture.size[::-1])
    specks = generator.random(grey.shape) < 0.002
    grey[specks] = generator.choice([0.0, 255.0], int(specks.sum()))
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


def shadowed(picture: Image.Image) -> Image.Image:
    """Photographed with a shadow over its left side."""
    light = np.linspace(0.35, 1.0, picture.width)[None, :]
    return Image.fromarray((np.asarray(picture, np.float32) * light).astype(np.uint8))


def encoded(picture: Image.Image, file_format: str, **options: object) -> bytes:
    """The bytes of an image file."""
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def error_rate(shown: str, found: str) -> float:
    """The character error rate: edits from `found` to `shown`, divided by the characters shown; white space as one."""
    shown, found = " ".join(shown.split()), " ".join(found.split())
    row = list(range(len(found) + 1))
    for at, character in enumerate(shown, 1):
        before, row[0] = row[0], at
        for column, other in enumerate(found, 1):
            before, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, before + (character != other)),
            )
    return row[-1] / max(1, len(shown))
