"""Messages in a mailbox file: mboxo, mboxrd, and the stores of Thunderbird. Runs in the worker processes.

The length that a header states is not trusted. Gigabytes are read block by block.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import BinaryIO

from pipeline.extraction.content import ExtractError
from pipeline.extraction.mail_formats import POSTMARK, field_names, is_known_field
from pipeline.extraction.part import ContainerLimits, Part, UniqueNames

_BLOCK = 1 << 20
_AHEAD = 1 << 14  # bytes from a postmark that show whether a message follows
_BEFORE = 4  # bytes before a postmark that are looked at
_HEADER = 1 << 16  # bytes of a message within which its header is looked at
_DELETED = 0x0008  # of X-Mozilla-Status: the message is gone once the folder is compacted

_ID = re.compile(rb"(?im)^message-id[ \t]*:\s*<?([^<>\r\n]{1,998}?)>?[ \t]*\r?$")
_MOZILLA_STATUS = re.compile(rb"(?im)^x-mozilla-status[ \t]*:[ \t]*([0-9a-f]{1,8})[ \t]*\r?$")
# Mail programs change these in place when a message is read or marked.
_STATE = re.compile(
    rb"(?im)^(?:x-mozilla-(?:status2?|keys)|status|x-status|x-keywords|x-uid|content-length)[ \t]*:.*\n?"
)
_INTERNAL = re.compile(rb"(?im)^subject:.*folder internal data")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_HEADER_END = re.compile(rb"\r?\n\r?\n")


class MailboxReader:
    """A locator is "offset:length" of the bytes of a message below its postmark.

    A part is named by its Message-ID; a message without one by a digest of its content.
    """

    name = "mbox"
    version = 1
    libraries: tuple[str, ...] = ()
    part_suffix = ".eml"

    def parts(self, file: BinaryIO, limits: ContainerLimits) -> Iterator[Part]:
        names = UniqueNames()
        for start, end in _messages(file):
            file.seek(start)
            head = file.read(min(_HEADER, end - start))
            header_end = _HEADER_END.search(head)
            header = head[: header_end.end()] if header_end else head
            if _is_gone(header):
                continue
            digest = _digest(file, header, start, end)
            message_id = _ID.search(header)
            name = message_id[1].decode("utf-8", "replace") if message_id else digest[:16]
            yield Part(names.add(name), end - start, digest, f"{start}:{end - start}")

    def read(self, file: BinaryIO, locator: str, size_limit: int) -> bytes:
        start, length = (int(number) for number in locator.split(":"))
        if length > size_limit:
            raise ExtractError(
                "too_large",
                f"The message has {length:,} bytes, and at most {size_limit:,} are read (documents.max_file_bytes).",
            )
        file.seek(max(0, start - 1))
        data = file.read(length + 1)
        if len(data) != length + 1 or data[:1] != b"\n":
            raise ExtractError("unreadable", "The mailbox has changed since it was listed.")
        return _QUOTED.sub(rb"\1", data[1:])


def _messages(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """(start, end) of each message, without its postmark and the blank line after it."""
    start: int | None = None
    for postmark, after in _postmarks(file):
        if start is not None:
            yield start, max(start, _before_blank_line(file, start, postmark))
        start = after
    if start is not None:
        size = file.seek(0, 2)
        yield start, max(start, _before_blank_line(file, start, size))


def _before_blank_line(file: BinaryIO, start: int, end: int) -> int:
    file.seek(max(start, end - 2))
    last = file.read(end - max(start, end - 2))
    return end - (2 if last == b"\r\n" else 1 if last.endswith(b"\n") else 0)


def _postmarks(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """(where the postmark starts, where the message below it starts) of each message."""
    base, buffer, position = -1, b"\n", 0  # as if a line ended before the file
    while True:
        file.seek(base + len(buffer))
        block = file.read(_BLOCK)
        buffer += block
        limit = len(buffer) - _AHEAD if block else len(buffer)
        while 0 <= (found := buffer.find(b"\nFrom ", position)) < limit:
            position = found + 1
            if after := _message_after(buffer, found + 1, base < 0):
                yield base + found + 1, base + after
        if not block:
            return
        position = max(position, limit, 0)
        kept = max(0, position - _BEFORE)
        base, buffer, position = base + kept, buffer[kept:], position - kept


def _message_after(buffer: bytes, at: int, is_start: bool) -> int:
    """Where the message below the postmark at `at` starts; 0 where that line is none of a mailbox.

    A sentence that starts with "From" becomes no message: the line before a postmark is blank, and fields follow it.
    """
    postmark = POSTMARK.match(buffer, at)
    if postmark is None:
        return 0
    ahead = buffer[postmark.end() : postmark.end() + _AHEAD]
    before = buffer[max(0, at - _BEFORE) : at]
    is_blank = (is_start and not buffer[:at].strip()) or before.endswith((b"\n\n", b"\n\r\n"))
    if not is_blank and not ahead.startswith(b"X-Mozilla-Status"):
        return 0
    names = field_names(ahead)
    return postmark.end() if any(is_known_field(name) for name in names) else 0


def _is_gone(header: bytes) -> bool:
    """Whether the user has deleted the message, or it is one that a program keeps for itself."""
    status = _MOZILLA_STATUS.search(header)
    if status and int(status[1], 16) & _DELETED:
        return True
    return _INTERNAL.search(header) is not None


def _digest(file: BinaryIO, header: bytes, start: int, end: int) -> str:
    """Of the message without what mail programs change when it is read."""
    found = hashlib.sha256(_STATE.sub(b"", header))
    position = start + len(header)
    file.seek(position)
    while position < end and (block := file.read(min(_BLOCK, end - position))):
        found.update(block)
        position += len(block)
    return found.hexdigest()
