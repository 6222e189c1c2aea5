"""The open sockets and event streams of a server, which are closed when it stops. Runs on the loop."""

from __future__ import annotations

from typing import Protocol


class LiveStream(Protocol):
    def shut_down(self) -> None:
        """Tell the client that the server stops, and end."""


class LiveStreams:
    def __init__(self) -> None:
        self._open: set[LiveStream] = set()
        self._stopping = False

    def add(self, stream: LiveStream) -> None:
        """Add what can be shut down from now on. While the server stops, requests that came before are still answered:
        a stream that begins then is shut down at once."""
        self._open.add(stream)
        if self._stopping:
            stream.shut_down()

    def discard(self, stream: LiveStream) -> None:
        self._open.discard(stream)

    def shut_down(self) -> None:
        """Shut down all, and those that come later."""
        self._stopping = True
        for each in list(self._open):
            each.shut_down()
