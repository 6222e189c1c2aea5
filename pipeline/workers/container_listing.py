"""Lists the parts of a container. Runs in the worker processes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.compute.messages import FileTask, PartList, ReadContainer
from pipeline.extraction.container_reader import CONTAINERS
from pipeline.extraction.content import ExtractError
from pipeline.extraction.file_format import Format
from pipeline.extraction.part import ContainerLimits
from semantik.core.globs import Globs
from semantik.core.models.quality import Quality
from semantik.core.passed_over import is_passed_over
from semantik.core.upload_paths import is_upload

_BLOCK = 1 << 20
_MAX_DEPTH = 3  # containers in each other


@dataclass
class _Listing:
    """What was listed so far; `left_out` says why it does not go on."""

    names: list[str]
    sizes: list[int]
    digests: list[str]
    locators: list[str]
    left_out: str | None = None


def list_parts(task: FileTask, file: BinaryIO, found: Format, limits: ContainerLimits) -> ReadContainer:
    """The parts of an open container whose format is `found`. Raises ExtractError."""
    depth = len(task.place.steps) if task.place else 0
    if depth >= _MAX_DEPTH:
        raise ExtractError("unsupported", f"This is {found.name} inside {depth} others; it is not opened.")
    size, modified_ns = _state(file, task)
    if size is not None and size > limits.max_bytes:
        raise ExtractError(
            "too_large",
            f"The file has {size:,} bytes, and {found.name} is opened up to {limits.max_bytes:,} "
            "(documents.max_container_bytes).",
        )
    content_hash = _sha256(file)
    listing = _list(file, found, limits)
    if (size, modified_ns) != _state(file, task):
        raise ExtractError(
            "unreadable", "The file changed while it was opened; the next scan reads it again."
        )
    parts = PartList(
        tuple(listing.names), tuple(listing.sizes), tuple(listing.digests), tuple(listing.locators)
    )
    quality = Quality(warnings=(listing.left_out,) if listing.left_out else ())
    return ReadContainer(
        task.document_id, found.mime, None, content_hash, size, modified_ns, parts, len(parts), quality
    )


def _list(file: BinaryIO, found: Format, limits: ContainerLimits) -> _Listing:
    listing = _Listing([], [], [], [])
    unpacked = 0
    try:
        reader, passed_over = CONTAINERS[found.mime], _PassedOver(limits.exclude)
        for part in reader.parts(file, limits):
            if not reader.part_suffix and part.name in passed_over:  # else the name is none of a file
                continue
            unpacked += part.size
            if len(listing.names) == limits.max_parts:
                listing.left_out = (
                    f"Only its first {limits.max_parts:,} files are read (documents.max_container_parts)."
                )
                break
            if unpacked > limits.max_bytes:
                listing.left_out = (
                    f"Only its first {len(listing.names):,} files are read: with the next one they have more than "
                    f"{limits.max_bytes:,} bytes (documents.max_container_bytes)."
                )
                break
            listing.names.append(part.name)
            listing.sizes.append(part.size)
            listing.digests.append(part.digest)
            listing.locators.append(part.locator)
    except ExtractError as error:
        if not listing.names:
            raise
        listing.left_out = f"Only its first {len(listing.names):,} files are read: {error.message}"
    return listing


class _PassedOver:
    """Whether a scan would pass over a file of a path, relative to what is scanned. Fast for many of one folder."""

    def __init__(self, exclude: tuple[str, ...]) -> None:
        self._exclude = Globs(exclude)
        self._folder = ""
        self._hides = False

    def __contains__(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        if folder != self._folder:
            above = [folder[:at] for at, char in enumerate(folder) if char == "/"]
            self._hides = is_passed_over(f"{folder}/-") or any(
                self._exclude.match(one, folder=True) for one in (*above, folder)
            )
            self._folder = folder
        return self._hides or is_passed_over(name) or self._exclude.match(path)


def _state(file: BinaryIO, task: FileTask) -> tuple[int | None, int | None]:
    """The size and time of a file; a part has none of its own, and the time of an upload is not the file's."""
    if task.place is not None:
        return None, None
    status = os.fstat(file.fileno())
    return status.st_size, None if is_upload(task.path) else status.st_mtime_ns


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while block := file.read(_BLOCK):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()
