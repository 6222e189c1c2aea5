"""Decodes the header fields of e-mails: words in any charset, addresses, parameters and dates.

Pure; runs in the worker processes. Values are the bytes in the file; nothing here raises.
"""

from __future__ import annotations

import binascii
import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from urllib.parse import unquote_to_bytes

from pipeline.extraction import charsets

# Senders put spaces and line ends into encoded words, and no space between two of them.
_WORD = re.compile(rb"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,60})?\?([bBqQ])\?((?:[^?=]|=(?!\?[^=])|\?(?!=))*)\?=")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_PARAMETER = re.compile(
    rb";\s*([^\s=;]{1,100}?)\s*=\s*(\"(?:[^\"\\]|\\.)*(?:\"|\Z)|[^;\"\s][^;]*?(?=\s*(?:;|\Z)))", re.DOTALL
)
_CONTINUED = re.compile(r"(.+?)\*(\d{1,3})(\*?)\Z")
_ZONE = re.compile(r"[0-9]\s*(?:[+-]\d{4}|\(?[A-Z]{1,5})\b")
_ISO = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:[T ]+(\d\d?):(\d\d)(?::(\d\d))?(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?"
)
_NUMERIC = re.compile(r"(\d\d?)[./](\d\d?)[./](\d{4})(?:[, ]+(\d\d?):(\d\d)(?::(\d\d))?)?")
_MAX_VALUE = 50_000  # bytes of a field that are read
_COMMENT = re.compile(r"\([^()]*\)")


def token(value: bytes) -> str:
    """The value of a field before its parameters, in lower case, without comments and quotes."""
    plain = _COMMENT.sub("", value.partition(b";")[0].decode("latin-1"))
    return plain.strip().strip("\"'").lower()


def text(value: bytes, charset: str | None = None) -> str:
    """The text of a field on one line; bytes that no encoded word declares are in UTF-8 or `charset`."""
    decoded = "".join(_decoded(value[:_MAX_VALUE], charset))
    return " ".join(decoded.replace("\0", "").split())


def charset(value: bytes) -> str | None:
    """The charset of the first encoded word of a field."""
    found = _WORD.search(value[:_MAX_VALUE])
    return found[1].decode("ascii", "replace") if found else None


def _decoded(value: bytes, charset: str | None) -> Iterator[str]:
    """Words of the same charset side by side are decoded together: a character may be split between them."""
    position = 0
    pieces: list[tuple[str, bytes]] = []
    for match in _WORD.finditer(value):
        between = value[position : match.start()]
        if between.strip() or not pieces:
            yield from _joined(pieces)
            pieces = []
            yield charsets.decode(between, charset)
        pieces.append((match[1].decode("ascii", "replace").lower(), _bytes_of(match)))
        position = match.end()
    yield from _joined(pieces)
    yield charsets.decode(value[position:], charset)


def _joined(pieces: list[tuple[str, bytes]]) -> Iterator[str]:
    for charset, group in itertools.groupby(pieces, key=lambda piece: piece[0]):
        yield charsets.decode(b"".join(data for _, data in group), charset)


def _bytes_of(word: re.Match[bytes]) -> bytes:
    encoded = word[3]
    if word[2] in b"qQ":
        plain = encoded.replace(b"_", b" ")
        return _HEX.sub(lambda found: bytes((int(found[1], 16),)), plain)
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", encoded)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def parameters(value: bytes, charset: str | None) -> dict[str, str]:
    """The parameters of a field: quoted, with encoded words, in pieces (RFC 2231) and with raw bytes."""
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bytes, bool]]] = {}
    short = re.sub(rb"[ \t]{2,}", b" ", value[:_MAX_VALUE])
    for match in itertools.islice(_PARAMETER.finditer(short), 200):
        name, raw = match[1].decode("latin-1").lower(), _unquoted(match[2])
        if continued := _CONTINUED.match(name):
            pieces.setdefault(continued[1], {})[int(continued[2])] = raw, bool(continued[3])
        elif name.endswith("*"):
            pieces.setdefault(name[:-1], {})[0] = raw, True
        else:
            plain.setdefault(name, text(raw, charset))
    for name, numbered in pieces.items():
        plain[name] = _continued([numbered[number] for number in sorted(numbered)], charset)
    return plain


def _unquoted(raw: bytes) -> bytes:
    if not raw.startswith(b'"'):
        return raw
    inner = raw[1:-1] if raw.endswith(b'"') and len(raw) > 1 else raw[1:]
    return re.sub(rb"\\([\"\\])", rb"\1", inner)


def _continued(pieces: list[tuple[bytes, bool]], charset: str | None) -> str:
    first, encoded = pieces[0]
    if encoded and first.count(b"'") >= 2:
        declared, _, first = first.split(b"'", 2)
        charset = declared.decode("latin-1") or charset
        pieces = [(first, True), *pieces[1:]]
    elif not any(encoded for _, encoded in pieces):
        return text(b"".join(raw for raw, _ in pieces), charset)
    data = b"".join(unquote_to_bytes(raw) if encoded else raw for raw, encoded in pieces)
    return " ".join(charsets.decode(data, charset).split())


def addresses(value: bytes, charset: str | None = None) -> str:
    """The people of a field, like "Ilse Brandvold <ilse@example.org>, jonas@example.org"."""
    return text(_without_quotes(value), charset)


def _without_quotes(value: bytes) -> bytes:
    """Without the quotes around names; one that has a comma keeps them."""
    return re.sub(rb'"((?:[^"\\,]|\\.)*)"(?=\s*<)', lambda name: re.sub(rb"\\(.)", rb"\1", name[1]), value)


def date(value: bytes) -> str | None:
    """A date in ISO 8601, with its zone where it has one; None where it cannot be read."""
    plain = re.sub(r"\s*(:)\s*|\s+(,)", r"\1\2", " ".join(_COMMENT.sub(" ", text(value)).split()))
    for read in (_internet_date, _iso_date, _numeric_date):
        try:
            found = read(plain)
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
        if found is not None and 1970 <= found.year < 2200:
            return found.isoformat(timespec="seconds")
    return None


def _internet_date(plain: str) -> datetime | None:
    fields = parsedate_tz(plain)
    if fields is None:
        return None
    year, month, day, hour, minute, second = fields[:6]
    moment = datetime(year, month, day, hour, minute, min(second, 59))
    offset = fields[9]
    if offset is None or abs(offset) >= 86_400 or not _ZONE.search(plain):
        return moment
    return moment.replace(tzinfo=timezone(timedelta(seconds=offset)) if offset else UTC)


def _iso_date(plain: str) -> datetime | None:
    found = _ISO.search(plain)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(each or 0) for each in found.groups()[:6])
    moment = datetime(year, month, day, hour, minute, second)
    if zone := found[7]:
        sign = -1 if zone[0] == "-" else 1
        digits = "0000" if zone == "Z" else zone[1:].replace(":", "")
        shift = sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return moment.replace(tzinfo=timezone(shift))
    return moment


def _numeric_date(plain: str) -> datetime | None:
    found = _NUMERIC.search(plain)
    if found is None:
        return None
    day, month, year, hour, minute, second = (int(each or 0) for each in found.groups())
    if month > 12:
        day, month = month, day
    return datetime(year, month, day, hour, minute, second)
