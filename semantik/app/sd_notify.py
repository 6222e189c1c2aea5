"""Notifies systemd with the sd_notify protocol, one datagram per message; without systemd nothing is sent.

Runs on the loop on purpose: the watchdog's keep-alive comes from there, so a loop that hangs sends none.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import MutableMapping

log = logging.getLogger("semantik")

_SEND_S = 5.0  # for a service manager that does not read its socket


class Notifier:
    """Sends to the service manager at `address`, a Unix socket: /run/… or @abstract; to nobody when that is empty.

    `watchdog_s` is the time without a keep-alive after which it ends the server; 0: never.
    """

    def __init__(self, address: str = "", watchdog_s: float = 0.0) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog_s = watchdog_s

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> Notifier:
        """Read systemd's variables and remove them, so that no child process notifies in the server's name."""
        address = environ.pop("NOTIFY_SOCKET", "")
        watchdog_us = environ.pop("WATCHDOG_USEC", "")
        for_us = environ.pop("WATCHDOG_PID", "") in ("", str(os.getpid()))
        if address and not address.startswith(("/", "@")):
            log.warning(
                "NOTIFY_SOCKET = %r is not a Unix socket; the service manager is not notified", address
            )
            address = ""
        return cls(address, int(watchdog_us) / 1e6 if for_us and watchdog_us.isdecimal() else 0.0)

    async def ready(self, status: str) -> None:
        await self._send("READY=1", _status(status))

    async def reloading(self) -> None:
        """Call `ready` afterwards, whatever the result of the reload."""
        await self._send(
            "RELOADING=1",
            f"MONOTONIC_USEC={time.monotonic_ns() // 1000}",
            _status("Reloading the settings"),
        )

    async def stopping(self) -> None:
        await self._send("STOPPING=1", _status("Stopping"))

    async def keep_alive(self) -> None:
        """Send a keep-alive twice in each `watchdog_s`; runs for ever."""
        if not (self._address and self._watchdog_s):
            await asyncio.get_running_loop().create_future()
        while True:
            await self._send("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_s / 2)

    async def _send(self, *lines: str) -> None:
        if not self._address:
            return
        message = "\n".join(lines).encode()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as connection:
                connection.connect(self._address)
                async with asyncio.timeout(_SEND_S):
                    await asyncio.get_running_loop().sock_sendall(connection, message)
        except (OSError, TimeoutError) as error:
            log.warning(
                "The service manager could not be notified of %s: %s", lines[0], error or "it does not read"
            )


def _status(sentence: str) -> str:
    return "STATUS=" + " ".join(sentence.split())
