"""Archives that are attached to a file, as messages have them: their files as attachments. Runs in the workers."""

from __future__ import annotations

import io
from collections.abc import Iterator

from pipeline.extraction.container_reader import CONTAINERS, ContainerLimits, ContainerReader
from pipeline.extraction.content import Attachment, Content, ExtractError
from pipeline.extraction.file_format import Format
from semantik.core.passed_over import is_passed_over

_ARCHIVES = frozenset(("application/zip", "application/x-tar", "application/x-compressed-tar"))
_MAX_PARTS = 1000
MAX_FILE = 32 << 20  # bytes of one file, unpacked
_MAX_BYTES = 128 << 20  # bytes of all files, unpacked


def archive_content(data: bytes, detected: Format) -> Content | None:
    """The files of an archive as attachments, unpacked one by one as they are asked for; None for no archive.

    A file that cannot be unpacked is an attachment with a warning. Asking for the attachments raises ExtractError.
    """
    reader = CONTAINERS.get(detected.mime) if detected.mime in _ARCHIVES else None
    return Content("", attachments=_files(reader, data)) if reader else None


def _files(reader: ContainerReader, data: bytes) -> Iterator[Attachment]:
    file = io.BytesIO(data)
    total = 0
    for number, part in enumerate(reader.parts(file, ContainerLimits(_MAX_PARTS, _MAX_BYTES))):
        if is_passed_over(part.name):
            continue
        total += part.size
        if total > _MAX_BYTES or number >= _MAX_PARTS:
            raise ExtractError("too_large", "An attached archive holds too much.")
        try:
            yield Attachment(part.name, reader.read(file, part.locator, MAX_FILE))
        except ExtractError as error:
            yield Attachment(part.name, content=Content("", warnings=(error.message,)))
