"""What carries no language is found, and nothing else is."""

from __future__ import annotations

import base64
import binascii
import random
from collections.abc import Callable

import pytest

from pipeline.extraction.no_language import MIN_CHARS, passages

_RANDOM = random.Random(11)
_BYTES = _RANDOM.randbytes(1200)
_PROSE = b"The sluice keeper feeds a dead cafe bee; all added data. " * 20
_PROGRAM = b"".join(bytes([at % 7, 0, 0, 0, 0x40, 0, 0, 0]) for at in range(150))


def _rows(data: bytes, width: int = 16) -> list[tuple[int, bytes, str]]:
    """(address, bytes, the same as characters) of each row of a dump."""
    return [
        (at, row, "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row))
        for at in range(0, len(data), width)
        for row in [data[at : at + width]]
    ]


def _words(row: bytes, form: str) -> str:
    return " ".join(format(int.from_bytes(row[at : at + 2], "little"), form) for at in range(0, len(row), 2))


_DUMPS: dict[str, Callable[[bytes], list[str]]] = {
    "xxd": lambda data: [f"{at:08x}: {row.hex(' ', -2):39}  {text}" for at, row, text in _rows(data)],
    "hexdump -C": lambda data: [
        f"{at:08x}  {row[:8].hex(' ')}  {row[8:].hex(' ')}  |{text}|" for at, row, text in _rows(data)
    ],
    "hexdump": lambda data: [f"{at:07x} {_words(row, '04x')}" for at, row, _ in _rows(data)],
    "od": lambda data: [f"{at:07o} {_words(row, '06o')}" for at, row, _ in _rows(data)],
    "od -b": lambda data: [
        f"{at:07o} " + " ".join(f"{byte:03o}" for byte in row) for at, row, _ in _rows(data)
    ],
    "xxd -p": lambda data: [row.hex() for _, row, _ in _rows(data, 30)],
}
_BARE = {
    "base64 in lines": base64.encodebytes(_BYTES).decode(),
    "base64 in one line": base64.b64encode(_BYTES).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(_BYTES).decode(),
    "base85": base64.b85encode(_BYTES).decode(),
    "hexdump -C": "\n".join(
        f"{at:08x}  {_BYTES[at : at + 8].hex(' ')}  {_BYTES[at + 8 : at + 16].hex(' ')}  |..a.....k.......|"
        for at in range(0, 320, 16)
    ),
    "xxd": "\n".join(
        f"{at:08x}: {_BYTES[at : at + 16].hex(' ', 2)}  ..a.....k......." for at in range(0, 320, 16)
    ),
    **{
        f"{name} of {what}": "\n".join(dump(data))
        for name, dump in _DUMPS.items()
        for what, data in (("prose", _PROSE), ("a program", _PROGRAM))
    },
    "hexdump -C with a row for equal ones": "\n*\n".join(
        [
            "\n".join(_DUMPS["hexdump -C"](_PROSE[:320])),
            "00000400  00 41 00 42 00 43 00 44  00 45 00 46 00 47 00 48  |.A.B|",
        ]
    ),
    "base64 of a program": base64.encodebytes(_PROGRAM).decode(),
    "uuencode": "".join(
        binascii.b2a_uu(_BYTES[at : at + 45]).decode() for at in range(0, len(_BYTES) // 45 * 45, 45)
    ),
    "source map": '{"version":3,"mappings":"' + "AAAA,SAASA,CACEC;GAAG,kBAAkB,IACHD;" * 30 + '"}',
    "minified style sheet": (
        ".a{color:red;margin:0 auto}.b>.c:hover{background:#fff url(x.png) no-repeat;font-family:Arial,sans-serif}"
        * 30
    ),
    "SVG path in lines": "\n".join(f"M {at},{at * 3} c {at}.5,0.4 3,4.2 z" for at in range(20)),
    "array in C": "\n".join(
        "    " + " ".join(f"0x{byte:02x}," for byte in _BYTES[at : at + 12]) for at in range(0, 240, 12)
    ),
    "minified code": "".join(
        f"function {name}(e,t){{var n=e[{at}];return n&&n.a(t)||!1}};"
        for at, name in enumerate("abcdefgh" * 4)
    ),
    "SVG path": " ".join(
        f"M{at}.5,{at * 3}.25c-1.2,0.4,3,4.2,5.5,6L20 {at}l-3.2 4H8.5V12.25z" for at in range(12)
    ),
    "PostScript": "\n".join(f"{at * 7}.25 {at}.5 moveto {at} 14 lineto stroke" for at in range(20)),
    "PDF operators": "\n".join(f"{at}.2 {at * 2} m {at} 3 l S" for at in range(20)),
}
_LANGUAGE = {
    "numbers": "\n".join(f"{1000 + at} {at * 1.37:.2f} {at * 11}" for at in range(60)),
    "numbers from an even first one": "\n".join(
        f"{1000 + 16 * at}  {10 + at} {20 + at} {30 + at}" for at in range(60)
    ),
    "years": "\n".join(
        f"{1900 + at} {at % 90 + 10} {at * 7 % 90 + 10} {at * 3 % 90 + 10} 42" for at in range(90)
    ),
    "directories": "\n".join(
        f"usr/share/library/shelves/minutes/of/the/council/archive/{at}" for at in range(20)
    ),
    "CSV": "\n".join(f"{at};2024-03-{at % 28 + 1:02};{at * 17}.50;open" for at in range(60)),
    "URLs": "\n".join(
        f"https://example.org/library/shelf-{at}/the-long-way-home.html?page={at}&order=title"
        for at in range(20)
    ),
    "paths": "\n".join(
        f"/srv/archive/minutes/2019/council/session-{at}/Protocol_of_the_Session.odt" for at in range(20)
    ),
    "Python": "\n".join(
        f"    if value_{at} is None or value_{at} < 0: return self._default({at})" for at in range(20)
    ),
    "prose in one line": "The committee met in the old mill, and nobody had brought the key. " * 200,
    "German": "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlungsstelle " * 20,
    "Chinese": "天文台的望远镜在山上。" * 200,
    "Thai": "กุญแจอยู่ในลิ้นชัก" * 100,
    "log": "\n".join(f"2025-01-01 12:00:{at % 60:02} host[{at}]: closed after {at} ms" for at in range(100)),
    "JSON": '{"name": "Marta", "town": "Lindau", "notes": ["prefers letters", "no calls"], "age": 41}' * 30,
    "checksums": "\n".join(f"{_RANDOM.randbytes(32).hex()}  minutes-{at}.odt" for at in range(20)),
    "short key": "The key is " + base64.b64encode(_BYTES[:60]).decode() + " for the north gate.",
    "chess": " ".join(f"{at}. Nf3 Nc6 {at + 1}. Bb5 a6" for at in range(60)),
    "chords": "C G Am F | C G F C | Am F C G\n" * 40,
    "headings in capitals": "CHAPTER XIV THE RETURN OF THE NATIVE\n" * 20,
}


@pytest.mark.parametrize("name", _BARE)
def test_a_passage_without_language_is_found_between_sentences(name: str) -> None:
    before, after = "The picture below shows the mill.\n\n", "\n\nIt was drawn by the miller himself."
    text = before + _BARE[name] + after
    found = passages(text)
    assert sum(end - start for start, end in found) >= 0.9 * len(_BARE[name])
    assert all(len(before) - 2 <= start and end <= len(text) - len(after) + 2 for start, end in found)


@pytest.mark.parametrize("name", _LANGUAGE)
def test_language_is_kept(name: str) -> None:
    assert passages(_LANGUAGE[name]) == []


def test_an_encoded_word_inside_a_sentence_is_left_out_alone() -> None:
    encoded = base64.b64encode(_BYTES).decode()
    text = f"See the drawing (data:image/png;base64,{encoded}) of the sluice and the weir."
    [(start, end)] = passages(text)
    assert encoded.startswith(text[start:end][:50])
    assert text[end:].endswith(") of the sluice and the weir.")


def test_a_short_one_is_kept() -> None:
    assert passages(base64.b64encode(_BYTES[: MIN_CHARS // 2]).decode()) == []
