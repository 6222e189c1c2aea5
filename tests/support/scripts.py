"""How tests run the administrator's scripts: as processes of their own, as a person would."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from support.forked import launcher
from support.patience import deadline, patience
from support.server import ROOT, given_stores


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


async def script(name: str, data: Path, *words: str, typed: str = "", prefix: tuple[str, ...] = ()) -> Ended:
    """Run `bin/semantik-<name>` on the data folder, with `typed` on its standard input.

    Without words before it, the command is forked from a process that has imported it already.
    """
    if not prefix:
        return await asyncio.to_thread(_forked, (name, *words, "--data", str(data)), data, typed)
    process = await asyncio.create_subprocess_exec(
        *prefix,
        str(ROOT / "bin" / f"semantik-{name}"),
        *words,
        *("--data", str(data)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **given_stores(data)},
    )
    async with deadline():
        out, err = await process.communicate(typed.encode())
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


def _forked(argv: tuple[str, ...], data: Path, typed: str) -> Ended:
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(typed.encode())
        for stream in (given, out, err):
            stream.seek(0)
        streams = (given.fileno(), out.fileno(), err.fileno())
        status = launcher.launch(argv, {**os.environ, **given_stores(data)}, streams).wait(patience())
        for stream in (out, err):
            stream.seek(0)
        return Ended(status, out.read().decode(), err.read().decode())


def barred() -> tuple[str, ...]:
    """The words before a command that make root heed permissions, as everybody else does; none for others."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    assert setpriv is not None
    return (setpriv, "--bounding-set=-dac_override,-dac_read_search")
