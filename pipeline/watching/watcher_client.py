"""The server's side of the process that watches folders (`watcher_process.py`). Runs on the loop.

The process starts with the first watch, and ends with the server or when the rules change.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pipeline.scanning.walk_rules import WalkRules
from semantik.core.child_environment import child_environment

_ENDED = "the process that watches folders has ended; it is started again."
_STOP_S = 1.0


@dataclass(frozen=True)
class WatchEvent:
    """An event of the watch of a source. `kind` is:

    ready: the watch has started; changed: something in the folder has changed;
    gone: the watch has ended because the folder is gone; lost: it has ended for another `reason`;
    left: it has ended because the rules changed.
    """

    source_id: str
    kind: str
    reason: str = ""


class WatcherClient:
    """Starts and ends watches. Calls `on_event(event)` on the loop."""

    def __init__(self, on_event: Callable[[WatchEvent], None]) -> None:
        self._rules: WalkRules | None = None
        self._on_event = on_event
        self._watched: set[str] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Kill the process, which has nothing to save."""
        self._watched.clear()
        self._kill()
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=_STOP_S)

    async def set_rules(self, rules: WalkRules) -> None:
        """Follow these rules from now on. New rules end all watches."""
        if rules == self._rules:
            return
        self._rules = rules
        watched = self._watched.copy()
        await self.close()
        for source_id in watched:
            self._on_event(WatchEvent(source_id, "left"))

    async def watch(self, source_id: str, path: str) -> None:
        """Watch a folder and everything below it until it is gone, lost or unwatched."""
        if self._process is None:
            try:
                await self._start()
            except OSError as error:
                reason = f"no process can be started ({error.strerror})."
                self._on_event(WatchEvent(source_id, "lost", reason))
                return
        self._watched.add(source_id)
        self._send({"watch": source_id, "path": path})

    def unwatch(self, source_id: str) -> None:
        """End the watch of a source, if there is one."""
        if source_id in self._watched:
            self._watched.remove(source_id)
            self._send({"leave": source_id})

    async def _start(self) -> None:
        rules = self._rules
        assert rules is not None
        argument = {
            "roots": rules.roots,
            "exclude": rules.exclude,
            "forbidden": [str(each) for each in rules.forbidden],
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "pipeline.watching.watcher_process",
            json.dumps(argument),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=child_environment(os.environ),
            start_new_session=True,  # a Ctrl-C in the terminal is for the server
        )
        self._reading = asyncio.create_task(self._read_events(self._process), name="folder watches")

    async def _read_events(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            message = json.loads(line)
            event = WatchEvent(message["id"], message["kind"], message.get("reason", ""))
            if event.source_id in self._watched:
                if event.kind in ("gone", "lost"):
                    self.unwatch(event.source_id)
                self._on_event(event)
        await process.wait()
        self._process = None
        lost, self._watched = self._watched, set()
        for source_id in lost:
            self._on_event(WatchEvent(source_id, "lost", _ENDED))

    def _send(self, message: dict[str, str]) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            # process.kill() could reap the child before the loop's own child watcher does.
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
