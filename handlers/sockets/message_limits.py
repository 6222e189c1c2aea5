"""Limits what a client may send over a WebSocket: how often, how much, and text or binary. Knows no socket."""

from __future__ import annotations

from collections import deque

from handlers.sockets.close_reason import NOT_TEXT, TOO_LONG, CloseReason
from semantik.config.settings import SocketSettings
from semantik.core.errors import Unauthorized


class MessageLimits:
    """One for each socket; `messages_per_s` is that of the first message, the rest is given with each message."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times: deque[float] | None = None

    def violation(
        self, message: bytes, now: float, limits: SocketSettings, *, is_text: bool, binary_allowed: bool
    ) -> CloseReason | None:
        """Why the socket must be closed for this message that came at `now`; None: the message is allowed."""
        if self._times is None:
            self._times = deque(maxlen=limits.messages_per_s)
        flooding = len(self._times) == self._times.maxlen and now - self._times[0] < 1.0
        self._times.append(now)
        if flooding:
            reason = f"More than {self._times.maxlen} messages came within a second."
            return CloseReason.from_error(Unauthorized(reason))
        if len(message) > limits.message_bytes:
            return CloseReason(
                TOO_LONG, f"A message may have {limits.message_bytes} bytes at most.", "refused"
            )
        if not (is_text or binary_allowed):
            return CloseReason(NOT_TEXT, "Send text, not binary data.", "refused")
        if is_text and not _is_utf8(message):
            return CloseReason(NOT_TEXT, "A text must be UTF-8.", "refused")
        return None


def _is_utf8(message: bytes) -> bool:
    try:
        message.decode()
    except UnicodeDecodeError:
        return False
    return True
