"""The RTF bodies of Outlook messages: unpacked, and as the HTML page or the text that they were made from.

Pure; runs in the worker processes. For MS-OXRTFCP and MS-OXRTFEX; not for RTF files in general.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, replace

from pipeline.extraction import charsets

_MAX_UNPACKED = 16_000_000  # bytes
_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_TOKEN = re.compile(
    rb"\\([A-Za-z]{1,32})(-?\d{1,10})? ?|\\'([0-9A-Fa-f]{2})|\\([^A-Za-z'])|([{}])|[\r\n]+|([^\\{}\r\n]+)|\\"
)
_CHARSETS = {0: 1252, 77: 10000, 128: 932, 129: 949, 130: 1361, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258,
             177: 1255, 178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250}  # fmt: skip
_SIGNS = {
    "par": "\n", "line": "\n", "tab": "\t", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
    "bullet": "•", "endash": "–", "emdash": "—", "cell": "\t", "row": "\n", "page": "\n", "sect": "\n",
}  # fmt: skip
_SYMBOLS = {b"~": "\u00a0", b"_": "\u2011", b"\\": "\\", b"{": "{", b"}": "}", b"\n": "\n", b"\r": "\n"}
_LEFT_OUT = {
    "fonttbl",
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "object",
    "header",
    "footer",
    "listtable",
    "fldinst",
}


def unpacked(data: bytes) -> bytes:
    """The RTF in the value of PidTagRtfCompressed. Raises ValueError."""
    if len(data) < 16:
        raise ValueError("cut off")
    _, size, kind = struct.unpack_from("<LL4s", data)
    if kind == b"MELA":
        return data[16 : 16 + size]
    if kind != b"LZFu" or size > _MAX_UNPACKED:
        raise ValueError("not compressed RTF")
    window = bytearray(4096)
    window[: len(_DICTIONARY)] = _DICTIONARY
    write, position, out = len(_DICTIONARY), 16, bytearray()
    while position < len(data) and len(out) < size:
        control = data[position]
        position += 1
        for bit in range(8):
            if position >= len(data) or len(out) >= size:
                break
            if not control >> bit & 1:
                piece = data[position : position + 1]
                position += 1
            else:
                reference = int.from_bytes(data[position : position + 2], "big")
                position += 2
                start = reference >> 4
                if start == write:
                    return bytes(out)
                # A reference may reach into what it writes itself.
                period = (write - start) % 4096
                length = (reference & 15) + 2
                known = bytes(window[(start + at) % 4096] for at in range(min(period, length)))
                piece = (known * (length // len(known) + 1))[:length]
            for byte in piece:
                window[write] = byte
                write = (write + 1) % 4096
            out += piece
    return bytes(out)


@dataclass(frozen=True)
class _State:
    shown: bool = True
    for_rtf: bool = False  # between \htmlrtf and \htmlrtf0
    fonts: bool = False
    skip: int = 1  # bytes that stand for a character of \u
    font: int = -1


def is_page(rtf: bytes) -> bool:
    """Whether the RTF holds an HTML page."""
    return b"\\fromhtml" in rtf[:1000]


def text(rtf: bytes) -> str:
    """The source of the HTML page in the RTF, or its plain text where there is none."""
    return _Reading(rtf, is_page(rtf)).text()


class _Reading:
    def __init__(self, rtf: bytes, page: bool) -> None:
        self._rtf, self._page = rtf, page
        self._state, self._stack = _State(), list[_State]()
        self._out: list[str] = []
        self._bytes = bytearray()  # in the code page of the font
        self._pages = {-1: 1252}
        self._pending = 0  # characters that stand for the \u before
        self._star = False

    def text(self) -> str:
        position = 0
        while match := _TOKEN.match(self._rtf, position):
            position = match.end()
            if match[1]:
                word = match[1].decode().lower()
                if word == "bin":
                    position += max(0, int(match[2] or 0))
                self._flush_unless_text(word)
                self._word(word, int(match[2]) if match[2] else None)
            elif match[3]:
                self._put(bytes.fromhex(match[3].decode()))
            elif match[4]:
                self._symbol(match[4])
            elif match[5]:
                self._flush()
                self._group(match[5])
            elif match[6]:
                self._put(match[6])
        self._flush()
        return (
            "".join(self._out)
            .encode("utf-16-le", "surrogatepass")
            .decode("utf-16-le", "replace")
            .replace("\0", "")
        )

    def _group(self, brace: bytes) -> None:
        self._star, self._pending = False, 0
        if brace == b"{":
            if len(self._stack) < 1000:
                self._stack.append(self._state)
        elif self._stack:
            self._state = self._stack.pop()

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._star = True
        elif sign := _SYMBOLS.get(symbol):
            self._flush()
            self._show(sign)

    def _flush_unless_text(self, word: str) -> None:
        if word != "uc":
            self._flush()

    def _word(self, word: str, number: int | None) -> None:
        starred, self._star = self._star, False
        state = self._state
        if word == "htmltag" and starred:
            self._state = replace(state, shown=self._page)
        elif word == "htmlrtf":
            self._state = replace(state, for_rtf=number != 0)
        elif starred or word in _LEFT_OUT:
            self._state = replace(state, shown=False, fonts=word == "fonttbl")
        elif word == "ansicpg":
            self._pages[-1] = number or 1252
        elif word == "f":
            self._state = replace(state, font=number or 0)
        elif word == "fcharset" and state.fonts:
            self._pages[state.font] = _CHARSETS.get(number or 0, self._pages[-1])
        elif word == "plain":
            self._state = replace(state, font=-1)
        elif word == "uc":
            self._state = replace(state, skip=max(0, number or 0))
        elif word == "u" and number is not None:
            self._show(chr(number & 0xFFFF))  # the halves of a pair are joined at the end
            self._pending = state.skip
        elif sign := _SIGNS.get(word):
            self._show(sign)

    def _put(self, data: bytes) -> None:
        skipped = min(self._pending, len(data))
        self._pending -= skipped
        if self._state.shown and not self._state.for_rtf:
            self._bytes += data[skipped:]

    def _show(self, sign: str) -> None:
        if self._state.shown and not self._state.for_rtf:
            self._out.append(sign)

    def _flush(self) -> None:
        if self._bytes:
            page = self._pages.get(self._state.font, self._pages[-1])
            self._out.append(charsets.decode(bytes(self._bytes), f"cp{page}"))
            self._bytes.clear()
