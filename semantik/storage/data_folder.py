"""The data folder: made private, given a name that stays, and locked by one server or script at a time.

Runs on the loop, before anything else is started; knows nothing of what the folder holds.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from semantik.core.errors import ConfigError, Conflict

# What an ended server leaves behind dies within moments; this is for a machine under load.
_WAIT_S = 10.0
_SCRIPT = "script"  # stands in the lock behind the process id of a holder that is no server


class InUse(Conflict):
    """A server that lives holds the data folder."""


@asynccontextmanager
async def data_lock(data: Path, *, script: bool = False) -> AsyncIterator[int]:
    """Make the folder `data` (0700) and hold `data/lock`; yields the lock's file descriptor.

    The embedded children inherit that descriptor, so the lock outlives a killed server for as long as one of
    them can still write. Raises InUse when another server holds it, Conflict when a script does for longer than
    10 s, ConfigError for an unusable folder. `script`: who comes after us may wait, as we are done in a moment.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(
            f"data = {str(data)!r} cannot be the data folder: {error.strerror} ({error.filename}); "
            "choose a folder that can be written with --data."
        ) from error
    try:
        await _acquire(lock, data)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()} {_SCRIPT if script else ''}".rstrip().encode() + b"\n", 0)
        yield lock
        # This process may live on after its server: its id must not stand for a lock that it gave back.
        os.ftruncate(lock, 0)
    finally:
        os.close(lock)


def is_served(data: Path) -> bool:
    """Whether a server holds the data folder now; False where there is none."""
    try:
        lock = os.open(data / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        pid, is_script = _holder(lock)
        return not is_script and _alive(pid)
    finally:
        os.close(lock)


async def _acquire(lock: int, data: Path) -> None:
    deadline = asyncio.get_running_loop().time() + _WAIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pid, is_script = _holder(lock)
        alive = _alive(pid)
        if alive and not is_script:
            raise InUse(
                f"The data folder {data} is in use by the server with process id {pid}; "
                "stop it or choose another with --data."
            )
        if asyncio.get_running_loop().time() > deadline:
            if alive:
                raise Conflict(
                    f"The data folder {data} is in use by the script with process id {pid}; "
                    "try again when it has ended."
                )
            raise Conflict(
                f"The data folder {data} is still held by the embedded stores of a server that has ended; "
                f"end the process that `fuser {data / 'lock'}` shows, or choose another with --data."
            )
        await asyncio.sleep(0.05)


def _holder(lock: int) -> tuple[int, bool]:
    """Who wrote the lock: the process id (0: nobody), and whether it is a script's."""
    pid, _, kind = os.pread(lock, 32, 0).decode("ascii", "replace").strip().partition(" ")
    return int(pid or 0), kind == _SCRIPT


def _alive(pid: int) -> bool:
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
    """Return the uuid4 that names this data folder among all instances; call it while the lock is held."""
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
