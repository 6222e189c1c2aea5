"""`/ws/operations/{operation_id}`: one operation, live. Runs on the loop.

client -> server   (connect)    ?since=<id>, or ?since=$ for what comes from now on; the rest as in socket.py
server -> client   (messages)   as in operation_feed.py, beginning with current_state
server -> client   (close)      1000 a few seconds after the last message; the rest as in socket.py
"""

from __future__ import annotations

import asyncio

from handlers.sockets.base import SocketHandler
from handlers.sockets.operation_stream import OperationStream
from semantik.auth.sessions import Principal
from semantik.core.models import User


class OperationSocketHandler(SocketHandler):
    @property
    def subject(self) -> dict[str, str]:
        return {"operation_id": self.path_args[0]}

    async def serve(self, principal: Principal) -> None:
        feed = await self._feed(principal.user)
        async with feed.seated():
            await feed.show()
            # The client has this long to close first.
            await asyncio.sleep(self.services.settings.progress.linger_s)

    async def _feed(self, user: User) -> OperationStream:
        operation = await self.services.authorizer.operation(user, self.path_args[0])
        self.operation_type = operation.type
        return OperationStream(self.services, self, user, operation, self.get_query_argument("since", None))
