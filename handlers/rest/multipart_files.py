"""Reads the files of a body of multipart/form-data as they come. Knows no uploads."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from semantik.core.errors import Invalid

_MAX_HEADER_BYTES = 8192


@dataclass(frozen=True)
class FileBegins:
    """A file of this name follows."""

    name: str


@dataclass(frozen=True)
class FileData:
    data: bytes


@dataclass(frozen=True)
class FileEnds:
    pass


Event = FileBegins | FileData | FileEnds


class MultipartFiles:
    """`feed` with the body's bytes in order; it yields what they say of files. Fields without a file are left out.

    `is_complete` once the closing boundary has come. Raises Invalid for a body of another form.
    """

    def __init__(self, content_type: str) -> None:
        from python_multipart.multipart import MultipartParser, parse_options_header

        # What a client sends wrongly is told to the client.
        logging.getLogger("python_multipart.multipart").setLevel(logging.CRITICAL)
        self._parse_options = parse_options_header
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise Invalid("The Content-Type multipart/form-data has no boundary.")
        callbacks: Any = {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except ValueError as error:
            raise Invalid(f"The boundary of the body is not valid: {error}.") from error
        self.is_complete = False
        self._events: list[Event] = []
        self._field, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._in_file = False

    def feed(self, data: bytes) -> Iterator[Event]:
        try:
            self._parser.write(data)
        except ValueError as error:
            raise Invalid(f"The body is no multipart/form-data: {error}.") from error
        events, self._events = self._events, []
        yield from events

    def _on_part_begin(self) -> None:
        self._disposition, self._in_file = b"", False
        self._field.clear()
        self._value.clear()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]
        self._check_header()

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._check_header()

    def _on_header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        _, options = self._parse_options(self._disposition)
        name = options.get(b"filename")
        if name is not None:
            self._in_file = True
            self._events.append(FileBegins(_text(name)))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._events.append(FileData(data[start:end]))

    def _on_part_end(self) -> None:
        if self._in_file:
            self._events.append(FileEnds())

    def _on_end(self) -> None:
        self.is_complete = True

    def _check_header(self) -> None:
        if len(self._field) + len(self._value) > _MAX_HEADER_BYTES:
            raise Invalid(f"A part of the body has a header of more than {_MAX_HEADER_BYTES} bytes.")


def _text(name: bytes) -> str:
    try:
        # As browsers write what would end the quotes or the line.
        return name.decode().replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
    except UnicodeDecodeError as error:
        raise Invalid("The name of a file is not UTF-8.") from error
