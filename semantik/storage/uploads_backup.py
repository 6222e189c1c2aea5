"""A back-up of the contents of uploads as a tar archive: each under its SHA-256, which reveals damage.

Runs in a command of its own, where it may block; must not know the server.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path

from semantik.core.errors import Conflict, Invalid
from semantik.core.upload_paths import content_file, uploads_folder

_COPY_BYTES = 1 << 20
_CONTENT = re.compile(r"[0-9a-f]{64}")


def backup(data: Path, target: Path, force: bool) -> tuple[int, int]:
    """Write all contents of a data folder to the file `target`, completely or not at all.

    Returns the number of files, and the bytes of the archive. Raises Conflict when the file exists already (unless
    `force`), OSError.
    """
    if target.exists() and not force:
        raise Conflict(f"{target} exists already; choose another name, or overwrite it with --force.")
    number = 0
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".semantik-backup-") as folder:
        fresh = Path(folder) / "uploads.tar"
        with fresh.open("xb") as out, tarfile.open(fileobj=out, mode="w") as archive:
            for path in sorted((uploads_folder(data) / "contents").glob("??/*")):
                with suppress(FileNotFoundError):  # an upload was removed long ago, and its file just now
                    if _CONTENT.fullmatch(path.name):
                        archive.add(path, path.name, recursive=False)
                        number += 1
            archive.close()
            out.flush()
            os.fsync(out.fileno())
        fresh.chmod(0o600)
        fresh.replace(target)
    return number, target.stat().st_size


def restore(source: Path, data: Path) -> int:
    """Add the contents of a back-up to a data folder; returns their number. Raises Invalid for a damaged file, OSError.

    Contents that are there stay as they are: their names say what is in them.
    """
    number = 0
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is None or not _CONTENT.fullmatch(member.name):
                    raise _not_a_backup(source, f"it holds {member.name!r}")
                target = content_file(uploads_folder(data), member.name)
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".making-") as fresh:
                    digest = hashlib.sha256()
                    while block := file.read(_COPY_BYTES):
                        digest.update(block)
                        fresh.write(block)
                    if digest.hexdigest() != member.name:
                        raise _not_a_backup(source, f"{member.name} has other bytes")
                    fresh.flush()
                    os.fsync(fresh.fileno())
                    with suppress(FileExistsError):
                        os.link(fresh.name, target)
                number += 1
    except tarfile.TarError as error:
        raise _not_a_backup(source, str(error)) from error
    return number


def _not_a_backup(source: Path, why: str) -> Invalid:
    return Invalid(f"{source} is no back-up of uploaded files, or it is damaged ({why}).")
