"""The server's end of the process that watches folders (`watcher.py`), started with the first. Runs on the loop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pipeline.scanning.walker import WalkRules

_ENDED = "the process that watches folders has ended; it is started again."
_STOP_S = 1.0


@dataclass(frozen=True)
class WatchEvent:
    """What is told of a watch: it is `ready`, or something `changed`; or that it ended.

    It ends when the folder is `gone`, the watch was `lost` (`reason` says why), or `left` because the rules changed.
    """

    source_id: str
    kind: str
    reason: str = ""


class FolderWatches:
    """`hear(sign)` is called on the loop. `close()` kills the process, which has nothing to keep."""

    def __init__(self, hear: Callable[[WatchEvent], None]) -> None:
        self._rules: WalkRules | None = None
        self._hear = hear
        self._watched: set[str] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def close(self) -> None:
        self._watched.clear()
        self._kill()
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=_STOP_S)

    async def follow(self, rules: WalkRules) -> None:
        """Watch by these rules from now on, whatever is watched already."""
        if rules == self._rules:
            return
        self._rules = rules
        watched = self._watched.copy()
        await self.close()
        for source_id in watched:
            self._hear(WatchEvent(source_id, "left"))

    async def watch(self, source_id: str, path: str) -> None:
        """Watch a folder and all below it, until it is gone, lost or left."""
        if self._process is None:
            try:
                await self._start()
            except OSError as error:
                self._hear(WatchEvent(source_id, "lost", f"no process can be started ({error.strerror})."))
                return
        self._watched.add(source_id)
        self._write({"watch": source_id, "path": path})

    def leave(self, source_id: str) -> None:
        """Watch it no longer, if it is watched."""
        if source_id in self._watched:
            self._watched.remove(source_id)
            self._write({"leave": source_id})

    async def _start(self) -> None:
        rules = self._rules
        assert rules is not None
        given = {
            "roots": rules.roots,
            "exclude": rules.exclude,
            "forbidden": [str(each) for each in rules.forbidden],
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "pipeline.watching.watcher",
            json.dumps(given),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C in the terminal is for the server
        )
        self._reading = asyncio.create_task(self._read(self._process), name="folder watches")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            message = json.loads(line)
            sign = WatchEvent(message["id"], message["kind"], message.get("reason", ""))
            if sign.source_id in self._watched:
                if sign.kind in ("gone", "lost"):
                    self.leave(sign.source_id)
                self._hear(sign)
        await process.wait()
        self._process = None
        ended, self._watched = self._watched, set()
        for source_id in ended:
            self._hear(WatchEvent(source_id, "lost", _ENDED))

    def _write(self, message: dict[str, str]) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            # process.kill() might reap the child behind the back of the loop's watcher.
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
