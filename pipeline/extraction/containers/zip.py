"""Files inside ZIP archives. The archive's directory is trusted for names and sizes only; nothing is written to disk.

Runs in the worker processes.
"""

from __future__ import annotations

import stat
import struct
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from pipeline.extraction.charset_guess import guess
from pipeline.extraction.content import ExtractError
from pipeline.extraction.part import ContainerLimits, Part, UniqueNames, shown_path

_ENCRYPTED = 0x1
_UTF8 = 0x800
_UNIX = 3
_CODE_PAGES = ("cp866", "cp932", "cp949", "cp950", "gb18030")  # those whose texts are hardly anything else
_UNICODE_PATH = 0x7075  # the extra field with the name in UTF-8
_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, struct.error, RuntimeError)

# The members of a file by their names as stored: a name may be there more than once.
_Members = dict[str, list[zipfile.ZipInfo]]


class ZipReader:
    """A locator is "n:name": the n-th member, from 0, of those that have this name in the archive."""

    name = "zip"
    version = 2
    libraries: tuple[str, ...] = ()
    part_suffix = ""

    def __init__(self) -> None:
        # A large directory takes as long to read as many members.
        self._archives: weakref.WeakKeyDictionary[BinaryIO, tuple[zipfile.ZipFile, _Members]] = (
            weakref.WeakKeyDictionary()
        )

    def parts(self, file: BinaryIO, limits: ContainerLimits) -> Iterator[Part]:
        archive, members = self._open(file)
        _check_overlap(archive, file)
        names = UniqueNames()
        numbers = dict.fromkeys(members, 0)
        for member in archive.infolist():
            number = numbers[member.orig_filename]
            numbers[member.orig_filename] += 1
            if _is_file(member):
                digest = f"{member.CRC:08x}-{member.file_size}-{member.flag_bits & _ENCRYPTED}"
                locator = f"{number}:{member.orig_filename}"
                yield Part(names.add(shown_path(_decoded(member))), member.file_size, digest, locator)

    def read(self, file: BinaryIO, locator: str, size_limit: int) -> bytes:
        archive, members = self._open(file)
        number, _, name = locator.partition(":")
        same_name = members.get(name, [])
        if int(number) >= len(same_name):
            raise ExtractError("unreadable", "The archive does not hold this file any more.")
        member = same_name[int(number)]
        if member.flag_bits & _ENCRYPTED:
            raise ExtractError(
                "corrupt", "The inner file is encrypted and cannot be read without its password."
            )
        if member.file_size > size_limit:
            raise ExtractError(
                "too_large",
                f"The inner file has {member.file_size:,} bytes, and at most {size_limit:,} are read "
                "(documents.max_file_bytes).",
            )
        try:
            with archive.open(member) as stream:
                return stream.read(size_limit)
        except NotImplementedError as error:
            raise ExtractError(
                "unsupported", "The inner file is compressed in a way that cannot be read."
            ) from error
        except _ERRORS as error:
            raise ExtractError("corrupt", "The inner file is damaged and cannot be unpacked.") from error

    def _open(self, file: BinaryIO) -> tuple[zipfile.ZipFile, _Members]:
        known = self._archives.get(file)
        if known is not None:
            return known
        try:
            archive = zipfile.ZipFile(file)
        except (NotImplementedError, *_ERRORS) as error:
            raise ExtractError("corrupt", "The ZIP archive is damaged.") from error
        members: _Members = {}
        for member in archive.infolist():
            members.setdefault(member.orig_filename, []).append(member)
        self._archives[file] = archive, members
        return archive, members


def _decoded(member: zipfile.ZipInfo) -> str:
    """A member's name. Many programs write UTF-8 and do not say so, and old ones the code page of their system.

    The rest is in cp437, which the format prescribes.
    """
    name = member.orig_filename
    if member.flag_bits & _UTF8 or name.isascii():
        return name
    raw = name.encode("cp437")
    extra = member.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH and len(field) > 5 and field[1:5] == struct.pack("<L", zlib.crc32(raw)):
            raw = field[5:]
    try:
        return raw.decode()
    except UnicodeDecodeError:
        codec = guess(raw)
        return raw.decode(codec, "replace") if codec in _CODE_PAGES else name


def _is_file(member: zipfile.ZipInfo) -> bool:
    mode = member.external_attr >> 16 if member.create_system == _UNIX else 0
    is_special = stat.S_IFMT(mode) not in (0, stat.S_IFREG)
    return not is_special and not member.is_dir() and not member.orig_filename.endswith("\\")


def _check_overlap(archive: zipfile.ZipFile, file: BinaryIO) -> None:
    """Refuse an archive whose members share their bytes: nothing but an attack is made like that."""
    size = file.seek(0, 2)
    if sum(member.compress_size for member in archive.infolist()) > size:
        raise ExtractError("corrupt", "The files inside the ZIP archive overlap: it is damaged.")
