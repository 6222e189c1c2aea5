"""The files of uploads below the data folder: those that are being received, and contents under their SHA-256.

Every function blocks, so call them in a thread. Knows no rows and no users.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from semantik.core.errors import DiskFull, NotFound
from semantik.core.upload_paths import content_file, uploads_folder

_BLOCK_BYTES = 1 << 20
_MAKING = ".making-"  # the prefix of a content that is being copied from the store
# A content without an upload stays this long: another upload of it may be about to be recorded.
_KEPT_S = 3600.0


class UploadFolder:
    """`data` is the data folder. Raises DiskFull when the disk is full."""

    def __init__(self, data: Path) -> None:
        self.path = uploads_folder(data)
        self._receiving = self.path / "receiving"

    def create(self, upload_id: str, needed_bytes: int) -> int:
        """Begin a file; returns its descriptor. Raises DiskFull when the disk has less than that."""
        self._receiving.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(self._receiving).free < needed_bytes:
            raise DiskFull("uploads")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return os.open(self._receiving / upload_id, flags, 0o600)

    def open(self, upload_id: str) -> int:
        """Open a file that was begun, to add to it. Raises NotFound."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(self._receiving / upload_id, flags)
        except FileNotFoundError as error:
            raise NotFound("The bytes of this upload are gone: begin it anew.") from error

    def received(self, upload_id: str) -> int | None:
        """How many bytes have come; None when there is no such file."""
        try:
            return (self._receiving / upload_id).stat().st_size
        except FileNotFoundError:
            return None

    def discard(self, upload_id: str) -> None:
        (self._receiving / upload_id).unlink(missing_ok=True)

    def seal(self, upload_id: str) -> str:
        """Write a complete file through to the disk; returns the SHA-256 of its bytes. Raises NotFound."""
        digest = hashlib.sha256()
        try:
            with (self._receiving / upload_id).open("rb") as file:
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
                os.fsync(file.fileno())
        except FileNotFoundError as error:
            raise NotFound("The bytes of this upload are gone: begin it anew.") from error
        return digest.hexdigest()

    def keep(self, upload_id: str, content: str) -> bool:
        """Make a sealed file the content; False when there is neither. May be repeated."""
        target = content_file(self.path, content)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            # Equal bytes replace each other, so that the content is as young as its latest upload.
            (self._receiving / upload_id).replace(target)
        except FileNotFoundError:
            return target.is_file()
        _fsync_folder(target.parent)
        return True

    def has(self, content: str) -> bool:
        return content_file(self.path, content).is_file()

    def blocks(self, content: str) -> Iterator[bytes]:
        """The bytes of a content, some at a time; an empty content is one empty block."""
        with content_file(self.path, content).open("rb") as file:
            yield file.read(_BLOCK_BYTES)
            while block := file.read(_BLOCK_BYTES):
                yield block

    def make(self, content: str, name: str) -> Path:
        """A new file, with a `name` of its own, for a content that is to be copied here; then call `made`."""
        target = content_file(self.path, content)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = target.parent / f"{_MAKING}{name}"
        path.touch(mode=0o600)
        return path

    def made(self, path: Path, content: str) -> bool:
        """Take a file as the content if it has these bytes; else remove it."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != content:
            path.unlink(missing_ok=True)
            return False
        path.replace(content_file(self.path, content))
        return True

    def old_contents(self) -> list[str]:
        """The contents that nothing has been done with for a while. Removes what a crash has left unfinished."""
        found: list[str] = []
        before = time.time() - _KEPT_S
        for path in (self.path / "contents").glob("??/*"):
            with suppress(FileNotFoundError):
                status = path.lstat()
                if status.st_ctime > before or not stat.S_ISREG(status.st_mode):
                    continue
                if path.name.startswith(_MAKING):
                    path.unlink()
                else:
                    found.append(path.name)
        return found

    def remove(self, content: str) -> None:
        content_file(self.path, content).unlink(missing_ok=True)

    def begun(self) -> list[str]:
        """The ids of all files that are being received."""
        try:
            return [path.name for path in self._receiving.iterdir()]
        except FileNotFoundError:
            return []


def write_and_close(descriptor: int, data: bytes) -> None:
    """Write what is left of a file, and close it in any case. Raises DiskFull."""
    try:
        write_all(descriptor, data)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`. Raises DiskFull."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        raise DiskFull("uploads") from error


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
