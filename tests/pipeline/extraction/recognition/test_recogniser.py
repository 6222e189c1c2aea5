"""The text of page pictures, with the real tesseract: turned, skewed, noisy, dark, and without text."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image
from support.scans import encoded, error_rate, lines_of_text, noisy, page, shadowed, turned

from pipeline.extraction.content import ExtractError
from pipeline.extraction.recognition.page_picture import page_picture
from pipeline.extraction.recognition.recogniser import RecognisedText, recognise_picture
from pipeline.extraction.recognition.skew import line_direction
from pipeline.extraction.recognition.tesseract import PageTimeout, TesseractFailed

LINES = lines_of_text(7)
SHOWN = "\n".join(LINES)
_MIME = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "TIFF": "image/tiff",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
}
_MIME |= {"GIF": "image/gif", "JPEG2000": "image/jp2"}


def recognised(data: bytes, mime: str = "image/png", number: int = 1) -> RecognisedText:
    picture = page_picture(io.BytesIO(data), mime, number)
    return recognise_picture(picture, "eng", time.monotonic() + 60)


def read(picture: Image.Image) -> RecognisedText:
    return recognised(encoded(picture, "PNG"))


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_page_is_read_whichever_way_it_is_turned(degrees):
    found = read(turned(page(LINES), degrees))
    assert error_rate(SHOWN, found.text) < 0.02
    assert (found.turned + degrees) % 360 == 0


@pytest.mark.parametrize("degrees", [-14, -3, 8, 93, 174])
def test_a_skewed_noisy_page_is_made_straight(degrees):
    found = read(noisy(turned(page(LINES), degrees)))
    assert error_rate(SHOWN, found.text) < 0.05


def test_the_angle_is_found_to_a_fifth_of_a_degree():
    for degrees in (-17.5, -4.2, 0.0, 1.3, 12.0):
        assert abs(line_direction(turned(page(LINES), degrees)).degrees + degrees) <= 0.2


def test_shadow_and_light_text_on_dark_ground_do_no_harm():
    for picture in (shadowed(page(LINES)), Image.eval(page(LINES), lambda grey: 255 - grey)):
        assert error_rate(SHOWN, read(picture).text) < 0.03


@pytest.mark.parametrize("file_format", sorted(_MIME))
def test_formats_of_pictures(file_format):
    data = encoded(page(LINES[:2]).convert("RGB"), file_format)
    assert error_rate("\n".join(LINES[:2]), recognised(data, _MIME[file_format]).text) < 0.03


def test_kinds_of_pixels():
    short = page(LINES[:2])
    ink = Image.new("RGBA", short.size, (20, 20, 20, 0))  # a drawing on a transparent ground
    ink.putalpha(Image.eval(short, lambda grey: 255 - grey))
    deep = Image.fromarray(np.asarray(short, np.uint16) * 200)
    kinds = [
        (encoded(short.convert("CMYK"), "JPEG"), "image/jpeg"),
        (
            encoded(short.point(lambda grey: 255 * (grey > 128)).convert("1"), "TIFF", compression="group4"),
            "image/tiff",
        ),
        (encoded(short.convert("P"), "GIF"), "image/gif"),
        (encoded(ink, "PNG"), "image/png"),
        (encoded(deep, "PNG"), "image/png"),
    ]
    for data, mime in kinds:
        assert error_rate("\n".join(LINES[:2]), recognised(data, mime).text) < 0.03


def test_the_rotation_that_a_camera_notes_is_honoured():
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    data = encoded(page(LINES[:3]).rotate(90, expand=True), "JPEG", exif=exif)
    found = recognised(data, "image/jpeg")
    assert found.turned == 0
    assert error_rate("\n".join(LINES[:3]), found.text) < 0.03


def test_each_page_of_a_tiff_file_is_one_picture():
    first, *others = [page(lines_of_text(number, 2)) for number in (1, 2, 3)]
    data = encoded(first, "TIFF", save_all=True, append_images=others)
    assert "1003" in recognised(data, "image/tiff", 3).text
    assert "1001" in recognised(data, "image/tiff", 1).text


def test_small_text_of_a_screenshot_is_enlarged():
    assert error_rate(SHOWN, read(page(LINES, pixels=12)).text) < 0.03


def test_a_sign_of_one_word_is_read():
    assert read(page(["Ferry"], pixels=40)).text == "Ferry"


def test_a_broken_word_is_joined():
    assert "keeper of the orchard" in read(page(["The keeper of the or-", "chard counts baskets."])).text


def pictures_without_text() -> list[Image.Image]:
    generator = np.random.default_rng(11)
    coarse = Image.fromarray(generator.integers(0, 255, (60, 80)).astype(np.uint8))
    return [
        Image.new("L", (600, 800), 250),
        Image.fromarray(generator.integers(0, 255, (400, 500)).astype(np.uint8)),
        coarse.resize((800, 600), Image.Resampling.BICUBIC),
    ]


@pytest.mark.parametrize("picture", pictures_without_text(), ids=["blank", "grain", "blobs"])
def test_pictures_without_text_give_none(picture):
    assert read(picture).text == ""


def test_a_page_over_its_time_ends_with_an_error():
    with pytest.raises(PageTimeout):
        recognise_picture(page(lines_of_text(1, 40, 12)), "eng", time.monotonic() + 0.05)


def test_a_language_that_is_not_installed_is_an_error():
    with pytest.raises(TesseractFailed):
        recognise_picture(page(LINES[:1]), "tlh", time.monotonic() + 30)


@pytest.mark.parametrize("side", [13_200, 20_000])
def test_a_picture_with_too_many_pixels_is_not_decoded(side):
    data = encoded(Image.new("1", (side, side)), "PNG")
    with pytest.raises(ExtractError) as refused:
        page_picture(io.BytesIO(data), "image/png", 1)
    assert refused.value.category == "too_large"


@pytest.mark.parametrize("file_format", sorted(_MIME))
def test_damaged_pictures_end_with_an_error_or_give_what_is_left(file_format):
    data = encoded(page(LINES[:2]).convert("RGB"), file_format)
    for damaged in (data[: len(data) // 3], data[:20], data[:50] + bytes(60) + data[110:], b""):
        try:
            page_picture(io.BytesIO(damaged), _MIME[file_format], 1)
        except ExtractError as error:
            assert error.category in ("corrupt", "too_large")
