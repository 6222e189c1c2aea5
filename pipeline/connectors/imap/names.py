"""Names of mailboxes as IMAP writes them: modified UTF-7 (RFC 3501, 5.1.3), quoted strings, LIST responses. Pure."""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
_LIST = re.compile(rb'\((?P<flags>[^)]*)\) (?P<delimiter>"(?:\\.|[^"\\])"|NIL) (?P<name>.+)', re.DOTALL)
_SKIPPED = frozenset({"\\trash", "\\junk", "\\drafts", "\\all", "\\flagged", "\\important"})
_NO_MESSAGES = frozenset({"\\noselect", "\\nonexistent"})


@dataclass(frozen=True)
class Mailbox:
    """A mailbox: `raw` as the server names it, `path` for people, with slashes between its levels.

    `usual`: it holds messages that a person has kept, and not drafts, junk, or what other mailboxes hold as well.
    """

    raw: str
    path: str
    usual: bool

    @property
    def quoted(self) -> str:
        return '"' + self.raw.replace("\\", "\\\\").replace('"', '\\"') + '"'


def mailboxes(lines: Sequence[object]) -> list[Mailbox]:
    """The mailboxes of a LIST response, as imaplib gives its lines; those that hold no messages are left out."""
    found = []
    for line in lines:
        literal: bytes | None = None
        if isinstance(line, tuple):  # the name came as a literal
            line, literal = line[0], line[1]
        match = _LIST.match(line) if isinstance(line, bytes) else None
        if match is None:
            continue
        flags = set(match["flags"].decode("ascii", "replace").lower().split())
        raw = (_unquoted(match["name"]) if literal is None else literal).decode("ascii", "replace")
        delimiter = (
            "" if match["delimiter"] == b"NIL" else _unquoted(match["delimiter"]).decode("ascii", "replace")
        )
        if not flags & _NO_MESSAGES and raw:
            found.append(Mailbox(raw, _path(raw, delimiter), not flags & _SKIPPED))
    return found


def decoded(raw: str) -> str:
    """A name in modified UTF-7 as a text; what is not valid stays as it is."""
    return _SHIFTED.sub(_shifted, raw)


def _shifted(match: re.Match[str]) -> str:
    text = match[1].replace(",", "/")
    if not text:
        return "&"
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4)).decode("utf-16-be")
    except ValueError:  # also of binascii and of the codec
        return match[0]


def _path(raw: str, delimiter: str) -> str:
    levels = raw.split(delimiter) if delimiter else [raw]
    return "/".join(decoded(level).replace("/", "%2F") or "_" for level in levels)


def _unquoted(text: bytes) -> bytes:
    if text.startswith(b'"') and text.endswith(b'"') and len(text) > 1:
        return re.sub(rb"\\(.)", rb"\1", text[1:-1])
    return text
