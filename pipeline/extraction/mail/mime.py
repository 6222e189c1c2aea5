"""Splits the bytes of an e-mail into its parts. Pure; runs in the worker processes. Knows nothing of texts.

The parts are slices of the e-mail's own bytes, also those of an e-mail inside it. Whatever is broken, each byte of a
body belongs to some part; nothing here raises.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.extraction.mail import headers

MAX_DEPTH = 20  # levels of parts inside parts; what is deeper stays one part
_MAX_PARTS = 5000  # of one level
_MAX_HEADER = 1_000_000  # bytes

_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:[ \t]?")
_FIRST_DELIMITER = re.compile(rb"\s*--([^\s][^\r\n]{0,200}?)[ \t]*\r?\n")
_QUOTED = re.compile(rb"=(?:([0-9A-Fa-f]{2})|[ \t]*(?:\r\n|[\r\n]|\Z))")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/ \t\r\n"
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]*={0,3}\s*\Z")


@dataclass(frozen=True)
class Part:
    """An e-mail, or a part of one.

    fields: (name in lower case, value as it is in the file without line ends), in order.
    body: the bytes below, still encoded; that of a multipart, too.
    default_type: the MIME type where the part declares none.
    outer_charset: a charset of the message around it.
    """

    fields: tuple[tuple[str, bytes], ...]
    body: bytes
    default_type: str = "text/plain"
    depth: int = field(default=0, compare=False)
    outer_charset: str | None = field(default=None, compare=False)

    def header(self, name: str) -> bytes:
        """The first field of that name, or nothing."""
        return next((value for each, value in self.fields if each == name), b"")

    @property
    def type(self) -> str:
        """The MIME type, in lower case, like "text/plain"."""
        declared = headers.token(self.header("content-type"))
        if found := re.match(r"[\w.+-]+/[\w.+-]+", declared):
            return found[0]
        return "text/plain" if declared in ("text", "plain") else self.default_type

    def parameter(self, name: str, of: str = "content-type") -> str:
        """A parameter of a field, decoded; empty where there is none."""
        return headers.parameters(self.header(of), self.charset_hint(of, name)).get(name, "")

    def charset_hint(self, of: str, name: str) -> str | None:
        """The charset of the body, for bytes in headers that declare none."""
        if name == "charset":
            return None
        return headers.parameters(self.header("content-type"), None).get("charset")

    @property
    def other_charset(self) -> str | None:
        """The charset of a word in a header, for a text that declares none."""
        return next(filter(None, (headers.charset(value) for _, value in self.fields)), self.outer_charset)

    @property
    def disposition(self) -> str:
        return headers.token(self.header("content-disposition"))

    @property
    def name(self) -> str:
        """The file name, without folders; empty where the part has none."""
        name = self.parameter("filename", "content-disposition") or self.parameter("name")
        return " ".join(name.replace("\\", "/").rsplit("/", 1)[-1].split())[:200]

    def content(self) -> bytes:
        """The body without its transfer encoding."""
        encoding = headers.token(self.header("content-transfer-encoding"))
        if encoding in ("quoted-printable", "quotedprintable", "qp"):
            return _QUOTED.sub(lambda found: bytes.fromhex(found[1].decode()) if found[1] else b"", self.body)
        if encoding == "base64":
            return _base64(self.body)
        if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
            return uudecoded(self.body)
        return self.body

    def parts(self) -> list[Part]:
        """Those of a multipart; a single one for an e-mail inside this part; else none."""
        if self.depth >= MAX_DEPTH:
            return []
        if self.type.startswith("multipart/"):
            inner = "message/rfc822" if self.type == "multipart/digest" else "text/plain"
            charset = self.other_charset
            return [parse(each, inner, self.depth + 1, charset) for each in self._slices()]
        if self.type in ("message/rfc822", "message/global"):
            return [parse(self.content(), depth=self.depth + 1)]
        return []

    def _slices(self) -> Iterator[bytes]:
        """The bytes of the parts of a multipart; all of them as one part where no delimiter is found."""
        boundary = self.parameter("boundary").encode("utf-8", "replace")
        found = self._delimiters(boundary) if boundary else []
        if not found and (first := _FIRST_DELIMITER.match(self.body)):
            found = self._delimiters(first[1])
        if not found:
            yield b"\n" + self.body
            return
        for number, (_, start, closing) in enumerate(found[:_MAX_PARTS]):
            end = found[number + 1][0] if number + 1 < len(found) else len(self.body)
            if not closing:
                yield self.body[start:end]
            elif number + 1 == len(found):
                break

    def _delimiters(self, boundary: bytes) -> list[tuple[int, int, bool]]:
        """(where the part before ends, where the part after starts, whether it is the closing delimiter) of each."""
        line = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
        found, position = [], 0
        while match := line.search(self.body, position):
            found.append((match.start(), match.end(), bool(match[1])))
            # The line end may also be the one before the next delimiter: an empty part lies between.
            position = max(match.end() - 1, match.start() + 1)
        return found


def parse(
    data: bytes, default_type: str = "text/plain", depth: int = 0, outer_charset: str | None = None
) -> Part:
    """The e-mail or part that `data` is."""
    fields, end = _fields(data)
    return Part(fields, data[end:] if end else data, default_type, depth, outer_charset)


def _fields(data: bytes) -> tuple[tuple[tuple[str, bytes], ...], int]:
    """The header fields, and where the body starts."""
    fields: list[tuple[str, list[bytes]]] = []
    position = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    while position < min(len(data), _MAX_HEADER):
        end = data.find(b"\n", position) + 1 or len(data)
        line = data[position:end].rstrip(b"\r\n")
        if line[:1] in (b" ", b"\t") and fields and (line.strip() or _goes_on(data, end)):
            fields[-1][1].append(line)
        elif match := _FIELD.match(line):
            fields.append((match[1].decode("ascii").lower(), [line[match.end() :]]))
        elif not line.strip():
            position = end
            break
        elif fields or not line.startswith((b"From ", b">From ")):
            break  # the blank line is missing
        position = end
    return tuple((name, b"".join(lines)) for name, lines in fields), position


def _goes_on(data: bytes, position: int) -> bool:
    """Whether the header goes on below a line of spaces, which some servers leave of a field that was long."""
    return data[position : position + 1] in (b" ", b"\t") or _FIELD.match(data, position) is not None


def _base64(data: bytes) -> bytes:
    """Bytes of base64 that may be cut off or have lines of plain text below, which a mailing list adds."""
    if not data.rstrip(b"= \r\n\0").translate(None, _BASE64):
        return _quads(data)
    lines = data.splitlines(keepends=True)
    kept = next(
        (at for at, line in enumerate(lines) if line.strip() and not _BASE64_LINE.match(line)), len(lines)
    )
    plain = b"".join(lines[kept:])
    if kept == 0 or b" " not in plain.strip():
        kept, plain = len(lines), b""
    decoded = b"".join(_quads(piece) for piece in re.findall(rb"[^=]+", b"".join(lines[:kept])))
    return decoded + plain


def _quads(piece: bytes) -> bytes:
    letters = _NO_BASE64.sub(b"", piece)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def uudecoded(data: bytes) -> bytes:
    """The bytes of a uuencoded text, with or without its "begin" and "end"."""
    out = []
    for line in data.splitlines():
        if line.startswith(b"begin ") or not line.strip():
            continue
        if line.strip() == b"end":
            break
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:  # some encoders pad the line with what a decoder must ignore
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                out.append(binascii.a2b_uu(line[: length + 1]))
            except binascii.Error:
                continue
    return b"".join(out)
