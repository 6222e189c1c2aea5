"""The tables at the head of an RTF file: fonts with their code pages, and styles. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.extraction.windows_charsets import SYMBOL_CHARSET, codec_of_charset, codec_of_page


@dataclass
class Font:
    charset: int = 1
    code_page: int | None = None
    name: str = ""


@dataclass
class RtfStyle:
    """`level` is that of a heading, from 1."""

    name: str = ""
    outline: int | None = None
    hidden: bool = False

    @property
    def level(self) -> int | None:
        if self.outline is not None and 0 <= self.outline <= 8:
            return self.outline + 1
        name = self.name.casefold().split(",")[0].strip()
        number = name.removeprefix("heading ")
        if name == "title":
            return 1
        return int(number) if number != name and number in set("123456789") else None


@dataclass
class Tables:
    """What the head says; `codec` is that of text in fonts without a charset of their own."""

    codec: str = "cp1252"
    default_font: int = 0
    fonts: dict[int, Font] = field(default_factory=dict)
    styles: dict[int, RtfStyle] = field(default_factory=dict)

    def codec_of(self, number: int | None) -> str:
        """The codec of text in a font; "symbol" for one of signs."""
        font = self.fonts.get(self.default_font if number is None else number)
        if font is None:
            return self.codec
        if font.code_page and (codec := codec_of_page(font.code_page)):
            return codec
        if font.charset == SYMBOL_CHARSET:
            return "symbol"
        if font.charset == 0:
            return "cp1252" if self._has_font_of_page() else self.codec
        return codec_of_charset(font.charset) or self.codec

    def font_name(self, number: int | None) -> str:
        font = self.fonts.get(self.default_font if number is None else number)
        return font.name if font is not None else ""

    def _has_font_of_page(self) -> bool:
        """Whether a font has the document's code page: then one with charset 0 really is Western.

        Writers that know one charset only leave it at 0, and mean that of the document.
        """
        return any(
            codec_of_charset(font.charset) == self.codec for font in self.fonts.values() if font.charset
        )
