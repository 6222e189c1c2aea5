"""Texts in UTF-8 are told from those in other encodings."""

from __future__ import annotations

import pytest

from semantik.core.charset import charset_of


@pytest.mark.parametrize(
    ("sample", "mime", "charset"),
    [
        ("Grüße".encode(), "text/plain", "utf-8"),
        ("Grüße".encode()[:3], "text/markdown", "utf-8"),  # cut within a character
        (b"only ASCII", "text/plain", "utf-8"),
        ("Grüße".encode("cp1252"), "text/plain", None),
        ("Grüße".encode("utf-16"), "text/plain", None),
        ("こんにちは".encode("iso2022_jp"), "text/plain", None),
        ("<p>Grüße".encode(), "text/html", "utf-8"),
        (b"<meta CHARSET=koi8-r><p>only ASCII here", "text/html", None),
        ("Grüße".encode(), "application/pdf", None),
    ],
)
def test_utf_8_is_named(sample: bytes, mime: str, charset: str | None) -> None:
    assert charset_of(sample, mime) == charset
