"""What systemd is told about the server: the sd_notify protocol, one datagram each. Without systemd nothing is told.

Runs on the loop, for a reason: the sign of life comes from there, so a loop that stands still gives none.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import MutableMapping

log = logging.getLogger("semantik")

_PATIENCE_S = 5.0  # for a service manager that does not read


class Notifier:
    """Tells the service manager at `address`, a Unix socket: /run/… or @abstract; nobody when that is empty.

    `watchdog_s` is how long it bears silence, 0 for ever.
    """

    def __init__(self, address: str = "", watchdog_s: float = 0.0) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog_s = watchdog_s

    @classmethod
    def of(cls, environ: MutableMapping[str, str]) -> Notifier:
        """As the environment says; it is taken out of there, so that no child speaks in the server's name."""
        address = environ.pop("NOTIFY_SOCKET", "")
        watchdog_us = environ.pop("WATCHDOG_USEC", "")
        meant = environ.pop("WATCHDOG_PID", "") in ("", str(os.getpid()))
        if address and not address.startswith(("/", "@")):
            log.warning("NOTIFY_SOCKET = %r is no Unix socket; the service manager is told nothing", address)
            address = ""
        return cls(address, int(watchdog_us) / 1e6 if meant and watchdog_us.isdecimal() else 0.0)

    async def ready(self, status: str) -> None:
        await self._tell("READY=1", _status(status))

    async def reloading(self) -> None:
        """`ready` must follow, whatever came of it."""
        await self._tell(
            "RELOADING=1",
            f"MONOTONIC_USEC={time.monotonic_ns() // 1000}",
            _status("Reading the settings anew"),
        )

    async def stopping(self) -> None:
        await self._tell("STOPPING=1", _status("Stopping"))

    async def keep_alive(self) -> None:
        """Give a sign of life twice in each `watchdog_s`; runs for ever."""
        if not (self._address and self._watchdog_s):
            await asyncio.get_running_loop().create_future()
        while True:
            await self._tell("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_s / 2)

    async def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        message = "\n".join(lines).encode()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
                line.connect(self._address)
                async with asyncio.timeout(_PATIENCE_S):
                    await asyncio.get_running_loop().sock_sendall(line, message)
        except (OSError, TimeoutError) as error:
            log.warning("The service manager could not be told %s: %s", lines[0], error or "it does not read")


def _status(sentence: str) -> str:
    return "STATUS=" + " ".join(sentence.split())
