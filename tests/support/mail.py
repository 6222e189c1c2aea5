"""E-mails as bytes, written by hand: the library would not write the faults that senders make."""

from __future__ import annotations

from pipeline.extraction import extract as extracting
from pipeline.extraction.extract import Extracted

HEAD = "From: Ilse Brandvold <ilse@ridge.example>\nTo: all@ridge.example\nDate: Mon, 27 Jan 2025 09:12:00 +0100\n"


def mail(fields: str | bytes, body: str | bytes = "") -> bytes:
    """An e-mail with the fields besides those of HEAD; text is written in UTF-8."""
    fields = fields.encode() if isinstance(fields, str) else fields
    body = body.encode() if isinstance(body, str) else body
    return (
        (HEAD.encode() + fields.rstrip(b"\n") + b"\n\n" + body)
        .replace(b"\r\n", b"\n")
        .replace(b"\n", b"\r\n")
    )


def multipart(kind: str, *parts: str | bytes, boundary: str = "=_edge") -> tuple[str, bytes]:
    """The fields and the body of a multipart; each part has its own fields."""
    lines = b"".join(
        f"--{boundary}\n".encode() + (part.encode() if isinstance(part, str) else part) + b"\n"
        for part in parts
    )
    fields = f'MIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary="{boundary}"\n'
    return fields, lines + f"--{boundary}--\n".encode()


def nested(kind: str, *parts: str | bytes, boundary: str) -> bytes:
    """A multipart as a part of another one."""
    fields, body = multipart(kind, *parts, boundary=boundary)
    return fields.encode() + b"\n" + body


def read(data: bytes, name: str = "a.eml") -> Extracted:
    return extracting.extract(name, data, 1 << 24)


def body(data: bytes) -> str:
    """The text below the header fields of HEAD."""
    return read(data).text.partition("+0100\n\n")[2]
