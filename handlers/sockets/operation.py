"""`/ws/operations/{operation_id}`: one operation, live. Runs on the loop.

client -> server   (connect)    ?since=<id>, or ?since=$ for new messages only; the rest as in base.py
server -> client   (messages)   as in operation_stream.py, starting with current_state
server -> client   (close)      1000 a few seconds after the last message; the rest as in base.py
"""

from __future__ import annotations

import asyncio

from handlers.sockets.base import SocketHandler
from handlers.sockets.operation_stream import OperationStream
from semantik.auth.principal import Principal


class OperationSocketHandler(SocketHandler):
    @property
    def subject(self) -> dict[str, str]:
        return {"operation_id": self.path_args[0]}

    async def serve(self, principal: Principal) -> None:
        operation = await self.services.authorizer.operation(principal, self.path_args[0])
        self.operation_type = operation.type
        since = self.get_query_argument("since", None)
        stream = OperationStream(self.services, self, principal, operation, since)
        async with stream.reserved():
            await stream.run()
            # The client has this long to close first.
            await asyncio.sleep(self.services.settings.progress.linger_s)
