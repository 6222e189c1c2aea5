"""The data folder: created private, given a permanent id, and locked by one server or script at a time.

Runs on the loop, before anything else is started; knows nothing of the folder's content.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import stat
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from semantik.core.errors import ConfigError, Conflict

log = logging.getLogger("semantik.data")

# The children of an ended server end within moments; this is for a machine under load.
_WAIT_S = 10.0
_SCRIPT = "script"  # follows the process id in the lock file when the holder is no server


class InUse(Conflict):
    """A running server holds the data folder."""


@asynccontextmanager
async def data_lock(data: Path, *, script: bool = False) -> AsyncIterator[int]:
    """Create the folder `data` (0700) and hold `data/lock`; yields the lock's file descriptor.

    The embedded children inherit that descriptor, so the lock outlives a killed server for as long as one of
    them can still write. Raises InUse when another server holds it, Conflict when a script does for longer than
    10 s, ConfigError for an unusable folder. `script`: the holder is no server; others wait up to 10 s for it.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(
            f"data = {str(data)!r} cannot be the data folder: {error.strerror} ({error.filename}); "
            "choose a folder that can be written with --data."
        ) from error
    umask = os.umask(0o077)  # for this process and its children: only the server's user reads what they write
    try:
        await _acquire(lock, data)
        await asyncio.to_thread(_make_private, data)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()} {_SCRIPT if script else ''}".rstrip().encode() + b"\n", 0)
        yield lock
        # This process may outlive its server: its id must not be taken for the holder of a released lock.
        os.ftruncate(lock, 0)
    finally:
        os.umask(umask)
        os.close(lock)


def _make_private(data: Path) -> None:
    """Take away what others may do with a data folder that existed, and with all that is in it."""
    denied = 0
    for folder, _, files in os.walk(data):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            try:
                mode = path.lstat().st_mode
                if mode & 0o077 and not stat.S_ISLNK(mode):
                    path.chmod(mode & 0o700)
            except FileNotFoundError:  # an embedded child of an ended server removes its files
                continue
            except PermissionError:
                denied += 1
    if denied:
        log.warning(
            "%d files and folders in the data folder %s can be read by other users and belong to another, so they "
            "stay as they are: give them to the server's user with chown -R",
            denied,
            data,
        )


def is_served(data: Path) -> bool:
    """Whether a server holds the data folder now; False when there is no such folder."""
    try:
        lock = os.open(data / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        pid, is_script = _lock_holder(lock)
        return not is_script and _is_running(pid)
    finally:
        os.close(lock)


async def _acquire(lock: int, data: Path) -> None:
    deadline = asyncio.get_running_loop().time() + _WAIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pid, is_script = _lock_holder(lock)
        is_running = _is_running(pid)
        if is_running and not is_script:
            raise InUse(
                f"The data folder {data} is in use by the server with process id {pid}; "
                "stop it or choose another with --data."
            )
        if asyncio.get_running_loop().time() > deadline:
            if is_running:
                raise Conflict(
                    f"The data folder {data} is in use by the script with process id {pid}; "
                    "try again when it has ended."
                )
            raise Conflict(
                f"The data folder {data} is still held by the embedded stores of a server that has ended; "
                f"end the process that `fuser {data / 'lock'}` shows, or choose another with --data."
            )
        await asyncio.sleep(0.05)


def _lock_holder(lock: int) -> tuple[int, bool]:
    """The process id in the lock file (0: none), and whether that process is a script."""
    pid, _, kind = os.pread(lock, 32, 0).decode("ascii", "replace").strip().partition(" ")
    return int(pid or 0), kind == _SCRIPT


def _is_running(pid: int) -> bool:
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def instance_id(data: Path) -> str:
    """The uuid4 that identifies this data folder among all instances; call it while the lock is held."""
    path = data / "instance"
    try:
        return str(uuid.UUID(path.read_text(encoding="ascii").strip()))
    except FileNotFoundError:
        new = data / "instance.new"
        new.write_text(f"{uuid.uuid4()}\n", encoding="ascii")
        new.replace(path)
        return instance_id(data)
    except ValueError as error:
        raise ConfigError(f"{path} does not hold a UUID; delete it, and a new one is made.") from error
