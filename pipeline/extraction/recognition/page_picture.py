"""The picture of one page, as it is given to the recognition: grey, upright by its EXIF mark, of bounded size.

A page is a picture of an image file (a TIFF file may have many), or a page of a PDF document. Runs in the worker
processes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFilter, ImageOps, ImageStat, UnidentifiedImageError

from pipeline.extraction.content import ExtractError

MAX_PIXELS = 20_000_000  # given to the recognition: A4 at 300 dpi has 8.7 million
_MAX_SOURCE_PIXELS = (
    170_000_000  # an image file with more is not decoded; Pillow's own limit is a little above
)
_PDF_DPI = 300
_POINTS_PER_INCH = 72
_SMALL_SIDE = (
    1200  # pixels; text on a smaller picture has too few pixels for the recognition, and is enlarged
)
_MAX_ENLARGEMENT = 3
_DARK = 100  # mean grey of 255; a darker picture shows light text on a dark ground

_CROP = 1000  # pixels in the middle of a page, of which the grain is measured
_MIN_GRAIN = 5  # of 255: median difference of a pixel from those around it
_SHADOW_CELL = 16  # pixels
_MIN_SHADOW = 40  # of 255: how much darker the paper is in one place than in another
_PAPER = 245
_BAND = 256  # rows

# Formats that Pillow decodes by itself: none that runs another program (EPS) or only knows the header. "JPEG" stands
# for its multi-picture format, too.
IMAGE_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000", "PPM")


def page_picture(file: BinaryIO, mime: str, number: int) -> Image.Image:
    """The picture of page `number`, counted from 1. Raises ExtractError."""
    if mime == "application/pdf":
        return _prepared(_pdf_page(file, number))
    with open_image(file) as image:
        try:
            image.seek(number - 1)
            _check_size(image)
            image.draft(
                "L", (_SMALL_SIDE * 2, _SMALL_SIDE * 2)
            )  # a large JPEG is decoded at a part of its size
            return _prepared(_grey(ImageOps.exif_transpose(image)))
        except EOFError as error:
            raise ExtractError("corrupt", f"The picture {number} is not in the file.") from error
        except (OSError, SyntaxError, ValueError, IndexError, TypeError, KeyError) as error:
            raise ExtractError("corrupt", "The picture is damaged and cannot be read.") from error


@contextmanager
def open_image(file: BinaryIO) -> Iterator[Image.Image]:
    """An image file, whose pixels are not decoded yet. Raises ExtractError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a picture's metadata lack is no matter here
        try:
            image = Image.open(file, formats=IMAGE_FORMATS)
        except Image.DecompressionBombError as error:
            raise _too_large() from error
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
            raise ExtractError("corrupt", "The picture is damaged and cannot be read.") from error
        with image:
            _check_size(image)
            yield image


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > _MAX_SOURCE_PIXELS:
        raise _too_large()


def _too_large() -> ExtractError:
    million = _MAX_SOURCE_PIXELS // 1_000_000
    return ExtractError("too_large", f"The picture has more than {million} million pixels.")


def _pdf_page(file: BinaryIO, number: int) -> Image.Image:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(file, autoclose=False)
    except pypdfium2.PdfiumError as error:
        raise ExtractError("corrupt", "The PDF document is damaged and cannot be read.") from error
    try:
        page = document[number - 1]
        width, height = page.get_size()
        scale = _PDF_DPI / _POINTS_PER_INCH
        scale = min(scale, (MAX_PIXELS / max(1.0, width * height)) ** 0.5)
        drawn: Image.Image = page.render(scale=scale, grayscale=True, may_draw_forms=False).to_pil()
        return drawn.convert("L")
    except (pypdfium2.PdfiumError, IndexError, ValueError) as error:
        raise ExtractError("corrupt", f"Page {number} cannot be drawn.") from error
    finally:
        document.close()


def _grey(image: Image.Image) -> Image.Image:
    """In 8-bit grey; what is transparent becomes white, 16-bit values are scaled."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.asarray(image, np.float32)
        values = (values - values.min()) * (255 / max(1.0, float(np.ptp(values))))
        return Image.fromarray(values.astype(np.uint8))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("L")
    return image.convert("L")


def _prepared(grey: Image.Image) -> Image.Image:
    """Dark on light, enlarged or reduced to a size at which the recognition works."""
    grey = _without_grain(grey)
    pixels, longer = grey.width * grey.height, max(grey.size)
    scale = 1.0
    if pixels > MAX_PIXELS:
        scale = (MAX_PIXELS / pixels) ** 0.5
    elif longer < _SMALL_SIDE:
        scale = min(_MAX_ENLARGEMENT, 2 * _SMALL_SIDE / longer)
    if scale != 1.0:
        size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
        grey = grey.resize(size, Image.Resampling.LANCZOS)
    return _evenly_lit(ImageOps.invert(grey) if ImageStat.Stat(grey).mean[0] < _DARK else grey)


def _without_grain(grey: Image.Image) -> Image.Image:
    """Without the grain of a bad scan. Not for others: it takes thin strokes away."""
    left, top = max(0, grey.width - _CROP) // 2, max(0, grey.height - _CROP) // 2
    crop = grey.crop((left, top, min(grey.width, left + _CROP), min(grey.height, top + _CROP)))
    smooth = crop.filter(ImageFilter.MedianFilter(3))
    grain = np.median(np.abs(np.asarray(crop, np.int16) - np.asarray(smooth, np.int16)))
    return grey.filter(ImageFilter.MedianFilter(3)) if grain >= _MIN_GRAIN else grey


def _evenly_lit(grey: Image.Image) -> Image.Image:
    """Without the shadow on a photographed page, which the recognition would take for text or for its lack."""
    small = grey.resize(
        (max(1, grey.width // _SHADOW_CELL), max(1, grey.height // _SHADOW_CELL)), Image.Resampling.BOX
    )
    light = small.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.GaussianBlur(3))
    values = np.asarray(light, np.float32)
    low, high = np.percentile(values, (2, 98))
    if high - low < _MIN_SHADOW:
        return grey
    even = np.empty((grey.height, grey.width), np.uint8)
    paper = light.resize(grey.size, Image.Resampling.BILINEAR)
    for top in range(0, grey.height, _BAND):  # a large page as a whole would need hundreds of megabytes
        band = (0, top, grey.width, min(grey.height, top + _BAND))
        factor = _PAPER / np.maximum(np.asarray(paper.crop(band), np.float32), 1)
        even[top : band[3]] = np.clip(np.asarray(grey.crop(band), np.float32) * factor, 0, 255)
    return Image.fromarray(even)
