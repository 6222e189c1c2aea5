"""A server that a benchmark kills once and starts again, and what it measures of it."""

from __future__ import annotations

import asyncio
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psutil

from bench.server_process import environment, unlimited
from semantik.client.api import Client

ROOT = Path(__file__).resolve().parent.parent
_FLAGS = ["--documents-roots=/", "--log-level=warning", "--uploads-quota-bytes=0", "--uploads-free-bytes=0"]
_STOP_S = 60.0


class Memory(NamedTuple):
    """What the server holds itself (MB), and what it has of mapped files: the kernel takes that back when it must."""

    own_mb: float = 0.0
    mapped_mb: float = 0.0


@dataclass
class Run:
    """A server that is killed once, and what was measured with it."""

    data: Path
    port: int = 0
    process: asyncio.subprocess.Process | None = None
    url: str = ""
    key: str = ""
    base: Memory | None = None
    growth: Memory = Memory()
    acknowledged: set[str] = field(default_factory=set)
    sent_s: float = 0.0
    away_s: float = 0.0
    doing: str = "starting the server"

    async def start(self) -> None:
        place = ["--port", str(self.port), "--data", str(self.data)]
        command = [str(ROOT / "bin" / "semantik-server"), *place, *unlimited(), *_FLAGS]
        self.process = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, env=environment()
        )
        assert self.process.stdout is not None
        line = (await self.process.stdout.readline()).decode()
        if not line:
            raise SystemExit("uploads: the server did not start; its error is above.")
        self.url = line.rpartition(" ")[2].strip()
        self.port = int(self.url.rpartition(":")[2])

    @property
    def client(self) -> Client:
        return Client(self.url, self.key)

    def memory(self) -> Memory:
        assert self.process is not None
        found = psutil.Process(self.process.pid).memory_info()
        return Memory((found.rss - found.shared) / 1e6, found.shared / 1e6)

    async def kill(self) -> None:
        assert self.process is not None
        self.base = None
        begun = time.perf_counter()
        self.process.kill()
        await self.process.wait()
        await self.start()
        self.away_s = time.perf_counter() - begun

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            try:
                async with asyncio.timeout(_STOP_S):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
