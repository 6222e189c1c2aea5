"""Programs that a test runs to their end, as a user would."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from support.patience import deadline


async def run_program(
    *command: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None, typed: str = ""
) -> tuple[int, str, str]:
    """The exit status, and what it printed on standard output and standard error; its input is `typed`."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ if env is None else env,
        cwd=cwd,
    )
    async with deadline():
        out, err = await process.communicate(typed.encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()
