"""What a door shows of one operation, whatever carries it: the snapshot, the history, then everything as it comes.

server -> client   history_truncated            in place of what is no longer kept; a current_state follows
server -> client   current_state                the snapshot, with the cursor it stands for as last_id
server -> client   (every frame of the stream)  operation_queued … status_update, each with id and seq
server -> client   presence                     how many watch the operation, whenever that changes
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, Protocol

from handlers.base import Services
from handlers.shapes import state_json
from semantik.progress import Batch, Frame, Presence, Taker, Watch, cursor_order
from semantik.records import TERMINAL, Operation, User


class Door(Taker, Protocol):
    """Where messages go; `send` is for those that are in no stream."""

    def send(self, type: str, data: dict[str, Any], **subject: str) -> None: ...


class Feed:
    """One operation shown at one door. `since`: a cursor, "$", or None for everything from the beginning."""

    __slots__ = (
        "_door",
        "_ended",
        "_last",
        "_operation_id",
        "_services",
        "_since",
        "_type",
        "_user",
    )

    def __init__(
        self, services: Services, door: Door, user: User, operation: Operation, since: str | None
    ) -> None:
        self._services = services
        self._door = door
        self._user = user
        self._operation_id, self._type = operation.id, operation.type
        self._since = since
        # As it stood before the watch: what ends later ends with messages, which the watch has.
        self._ended = operation.ended and operation.announced
        self._last = (0, 0)

    @asynccontextmanager
    async def seated(self) -> AsyncIterator[None]:
        """Take a seat for a connection that shows this operation alone; raises Busy when there is none."""
        async with self._services.progress.seats.socket(self._user.id, self._operation_id):
            with self._services.metrics.connection(self._type):
                if self._since not in (None, "$"):
                    self._services.metrics.resumed()
                yield

    async def show(self) -> None:
        """Return when the operation has ended and its last message is on its way.

        Raises Unavailable, Invalid for `since`, what the door's `room` raises, and NotFound when the operation is
        deleted meanwhile.
        """
        async with self._services.progress.watch(self._operation_id, self, self._since) as watch:
            self._last = cursor_order(watch.last_id)
            if watch.truncated:
                self._send("history_truncated", {"since": self._since})
            await self._snapshot(watch)
            if self._ended and not self._more():
                return
            with self._presence():
                while await watch.follow():
                    self._send("history_truncated", {"since": watch.last_id})
                    if await self._snapshot(watch):
                        break  # the end itself is among what was lost
                await self._door.room()

    def take(self, batch: Batch) -> bool:
        """As a Taker: hand it on, up to the last message."""
        last = batch.frames[-1]
        over = _ends(last) or (self._ended and last.mark.order >= self._last)
        return self._door.take(batch) and not over

    async def room(self) -> None:
        await self._door.room()

    def _presence(self) -> AbstractContextManager[None]:
        """Tell how many watch."""

        def tell(_: str, presence: Presence) -> None:
            self._send("presence", {"watchers": presence.sockets, "users": presence.users})

        return self._services.progress.seats.listening(self._operation_id, tell)

    async def _snapshot(self, watch: Watch) -> bool:
        """Send `current_state`; True when the operation has ended and its last message is out."""
        view = await self._services.catalog.operation(self._user, self._operation_id)
        self._send("current_state", {**state_json(view), "last_id": watch.last_id})
        return view.operation.ended and view.operation.announced

    def _more(self) -> bool:
        """Whether the stream holds anything that the client has not seen."""
        return self._since != "$" and cursor_order(self._since or "0-0") < self._last

    def _send(self, type: str, data: dict[str, Any]) -> None:
        self._door.send(type, data, operation_id=self._operation_id)


def _ends(frame: Frame) -> bool:
    return frame.type == "status_update" and frame.data["status"] in TERMINAL
