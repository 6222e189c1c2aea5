"""Watchers as a page has them: they come back after every loss, and go on after the last message that they have."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from support.patience import deadline
from tornado.simple_httpclient import HTTPStreamClosedError
from tornado.websocket import WebSocketClientConnection, websocket_connect

from semantik.core.models import TERMINAL

_FRAME_S = 30.0  # the protocol promises one every five seconds
_NORMAL, _GOING_AWAY, _LATER = 1000, 1001, 1013
_AGAIN_S = 0.05


@dataclass
class Watcher:
    """Follows an operation to its end. `urls`: servers to choose from; the next one is asked when one is away."""

    urls: Sequence[str]
    token: str
    operation_id: str
    patience: Callable[[], int] = lambda: 1 << 30  # messages until it goes away by itself, to come back
    on_visit: Callable[[], None] = lambda: None
    silence_s: float = _FRAME_S
    frames: list[dict[str, Any]] = field(default_factory=list)
    visits: int = 0

    @property
    def story(self) -> list[tuple[str, int, str]]:
        """What it saw of the stream."""
        return [(frame["id"], frame["seq"], frame["type"]) for frame in self.frames]

    @property
    def ended(self) -> bool:
        return bool(self.frames) and is_end(self.frames[-1])

    async def follow(self) -> None:
        turn = 0
        while not self.ended:
            query = {"token": self.token}
            if self.frames:
                query["since"] = self.frames[-1]["id"]
            url = self.urls[turn % len(self.urls)]
            address = f"ws{url.removeprefix('http')}/ws/operations/{self.operation_id}?{urlencode(query)}"
            try:
                socket = await websocket_connect(address)
            except (OSError, HTTPStreamClosedError):  # it is not there, or was killed while hands were shaken
                turn += 1
                await asyncio.sleep(_AGAIN_S)
                continue
            self.visits += 1
            self.on_visit()
            try:
                await self._visit(socket)
            finally:
                socket.close()

    async def _visit(self, socket: WebSocketClientConnection) -> None:
        left = self.patience()
        while left > 0 and not self.ended:
            async with deadline(self.silence_s):
                text = await socket.read_message()
            if text is None:
                gone = socket.close_code in (None, _GOING_AWAY, _LATER)
                assert gone, f"closed with {socket.close_code}: {socket.close_reason}"
                return
            frame = json.loads(text)
            assert frame["type"] != "history_truncated", "messages were lost"
            if "id" in frame:
                self.frames.append(frame)
                left -= 1


def is_end(frame: dict[str, Any]) -> bool:
    return frame["type"] == "status_update" and frame["data"]["status"] in TERMINAL


def same_story(watchers: Sequence[Watcher]) -> list[dict[str, Any]]:
    """Check that all saw the same: seq 1, 2, 3 … to the end, each id once, one end. Returns it."""
    first = watchers[0].story
    assert [seq for _, seq, _ in first] == list(range(1, len(first) + 1))
    assert len({key for key, _, _ in first}) == len(first)
    for watcher in watchers:
        assert watcher.story == first
    ends = [kind for _, _, kind in first if kind in {f"operation_{status}" for status in TERMINAL}]
    assert len(ends) == 1
    assert is_end(watchers[0].frames[-1])
    return watchers[0].frames
