"""The process of one embedded store: started, asked whether it answers, restarted when it dies, and stopped.

Knows neither MongoDB nor Redis beyond the bytes that it is given for a ping. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from semantik.core.child_environment import child_environment
from semantik.core.errors import Unavailable

log = logging.getLogger("semantik.embedded")

_READY_S = 60.0  # a guard against hanging; at its start a busy or small machine may take long
_STOP_S = 5.0  # below the limit of the whole server
_POLL_S = 0.02
_BACKOFF_S = 0.1
_MAX_DEATHS = 5
_DEATHS_WITHIN_S = 60.0
_LOG_BYTES = 1 << 20
_MODULE = "semantik.storage.embedded_child"


@dataclass(frozen=True)
class StoreSpec:
    """One store: `title` for people, the arguments of `embedded_child`, its Unix socket and its log file.

    The store is ready when it answers the bytes `ping` with an answer that contains `pong`.
    """

    title: str
    arguments: tuple[str, ...]
    socket: Path
    log_path: Path
    ping: bytes
    pong: bytes


class StoreProcess:
    """The process that serves a store now. It inherits `lock`, the descriptor of the data folder's lock."""

    def __init__(self, spec: StoreSpec, lock: int) -> None:
        self._spec = spec
        self._lock = lock
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the process and wait until it answers. Raises Unavailable; the process has ended then."""
        title, log_path = self._spec.title, self._spec.log_path
        if log_path.exists() and log_path.stat().st_size > _LOG_BYTES:
            log_path.replace(log_path.with_suffix(".log.1"))
        with log_path.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                _MODULE,
                str(os.getpid()),
                *self._spec.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                env=child_environment(os.environ),
                stdout=output,
                stderr=output,
                pass_fds=(self._lock,),
                # A Ctrl-C in the terminal is for the server, which still needs its stores while it stops. No session
                # of its own: where the kernel shares processors by session, its niceness would count in there alone.
                process_group=0,
            )
        try:
            async with asyncio.timeout(_READY_S):
                while not await self._answers():
                    if self._process.returncode is not None:
                        raise Unavailable(f"The embedded {title} ended at its start: {self._last_log_line()}")
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            await self.stop()
            raise Unavailable(
                f"The embedded {title} did not answer within {_READY_S:g} s: {self._last_log_line()}"
            ) from None

    async def supervise(self) -> None:
        """Restart the process whenever it dies. Raises Unavailable at the fifth death within a minute."""
        assert self._process is not None
        title = self._spec.title
        now = asyncio.get_running_loop().time
        deaths: deque[float] = deque()
        while True:
            code = await self._process.wait()
            died = now()
            deaths.append(died)
            while died - deaths[0] > _DEATHS_WITHIN_S:
                deaths.popleft()
            if len(deaths) >= _MAX_DEATHS:
                raise Unavailable(
                    f"The embedded {title} died {_MAX_DEATHS} times within {_DEATHS_WITHIN_S:g} s: "
                    f"{self._last_log_line()}"
                )
            log.warning("embedded %s died (%s); starting it again", title, _cause(code))
            await asyncio.sleep(_BACKOFF_S * 2 ** (len(deaths) - 1))
            try:
                await self.start()
            except Unavailable as error:
                log.warning("%s", error)
            else:
                log.warning("embedded %s is back after %.1f s", title, now() - died)

    async def stop(self) -> None:
        """Ask the process to end, and kill it after 5 s; no acknowledged write is lost either way."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        # process.terminate() might reap the child before the loop's watcher does.
        _signal_group(process.pid, signal.SIGTERM)
        _signal_group(process.pid, signal.SIGCONT)  # a stopped process would not receive the other
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            log.warning("embedded %s did not stop within %g s and is killed", self._spec.title, _STOP_S)
            _signal_group(process.pid, signal.SIGKILL)
            await process.wait()

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(self._spec.socket)
        except OSError:
            return False
        try:
            writer.write(self._spec.ping)
            return self._spec.pong in await reader.read(1024)
        except OSError:
            return False
        finally:
            writer.close()

    def _last_log_line(self) -> str:
        path = self._spec.log_path
        tail = path.read_bytes()[-4096:].decode("utf-8", "replace").split("\n")
        lines = [line.strip() for line in tail if line.strip()]
        return f"{lines[-1] if lines else 'it wrote nothing'} ({path})"


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        log.debug("process group %d has ended already", group)


def _cause(code: int) -> str:
    return f"status {code}" if code >= 0 else signal.Signals(-code).name
