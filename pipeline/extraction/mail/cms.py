"""The content of a signed S/MIME message, out of its ASN.1. Pure; runs in the worker processes. Checks no signature."""

from __future__ import annotations

import binascii
import re
import zlib

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_ENCRYPTED = bytes.fromhex("2a864886f70d010703"), bytes.fromhex("2a864886f70d0109100117")
_COMPRESSED_DATA = bytes.fromhex("2a864886f70d0109100109")
_SEQUENCE, _OCTETS, _OBJECT = 0x30, 0x04, 0x06
_CONSTRUCTED = 0x20
_MAX_DEPTH = 12
_MAX_UNPACKED = 64_000_000  # bytes


def signed_content(data: bytes) -> bytes | None:
    """What was signed or compressed, as bytes of a message; None where it is encrypted, or cannot be read."""
    if not data.startswith(b"\x30"):  # in base64, perhaps between lines of dashes
        letters = re.sub(rb"-----[^\n]*-----|\s", b"", data)
        try:
            data = binascii.a2b_base64(letters)
        except binascii.Error:
            return None
    try:
        return _content(data)
    except (ValueError, IndexError, zlib.error, RecursionError):
        return None


def is_encrypted(data: bytes) -> bool:
    """Whether the bytes begin like encrypted data."""
    return any(kind in data[:64] for kind in _ENCRYPTED)


def _content(data: bytes) -> bytes | None:
    kind, body = _children(_first(data))[:2]
    compressed = kind[1] == _COMPRESSED_DATA
    if kind[0] != _OBJECT or not (compressed or kind[1] == _SIGNED_DATA):
        return None
    inside = _children(_children(body[1])[0][1])
    encapsulated = next(each for tag, each in inside if tag == _SEQUENCE and each[:1] == b"\x06")
    explicit = _children(encapsulated)[1][1]
    tag, value = _children(explicit)[0]
    content = _octets(tag, value)
    return zlib.decompressobj().decompress(content, _MAX_UNPACKED) if compressed else content


def _first(data: bytes) -> bytes:
    return _children(data)[0][1]


def _octets(tag: int, value: bytes, depth: int = 0) -> bytes:
    """A string of octets, which may be made of several."""
    if not tag & _CONSTRUCTED or depth > _MAX_DEPTH:
        return value
    return b"".join(_octets(inner, each, depth + 1) for inner, each in _children(value))


def _children(data: bytes) -> list[tuple[int, bytes]]:
    """(tag, value) of each element. The value of one of indefinite length ends before its end mark."""
    found, position = [], 0
    while position < len(data) - 1:
        tag, start, end, after = _element(data, position, 0)
        if tag == 0 and start == end:
            break
        found.append((tag, data[start:end]))
        position = after
    return found


def _element(data: bytes, position: int, depth: int) -> tuple[int, int, int, int]:
    """(tag, start of the value, its end, start of what follows)."""
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deep")
    tag, length = data[position], data[position + 1]
    start = position + 2
    if length == 0x80:
        inner = start
        while data[inner : inner + 2] != b"\0\0":
            inner = _element(data, inner, depth + 1)[3]
        return tag, start, inner, inner + 2
    if length > 0x80:
        count = length & 0x7F
        length = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + length > len(data):
        raise ValueError("cut off")
    return tag, start, start + length, start + length
