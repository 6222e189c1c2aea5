"""`/ws/alerts`: what the user's saved searches find, live. Runs on the loop.

client -> server   (connect)        ?since=<number>: alerts after that; without: new ones only
server -> client   alerts_state     the number of the last alert that is not sent: where to continue
server -> client   search_matched   each alert once, in the order of their numbers
server -> client   (close)          never 1000; the rest as in base.py
"""

from __future__ import annotations

from contextlib import aclosing

from handlers.sockets.base import SocketHandler
from semantik.auth.principal import Principal
from semantik.core.errors import Invalid
from semantik.services.notifications.content import alert_data

_DIGITS = 16


class AlertsSocketHandler(SocketHandler):
    operation_type = "alerts"

    async def serve(self, principal: Principal) -> None:
        given = self.get_query_argument("since", None)
        since = None if given is None else parse_number(given)
        async with self.services.connection_limiter.socket(principal.user.id):
            with self.services.metrics.connection(self.operation_type):
                if since is None:
                    since = await self.services.alerts.last_number(principal)
                else:
                    self.services.metrics.connection_resumed()
                self.send("alerts_state", {"last_number": since})
                async with aclosing(self.services.alerts.follow(principal, since)) as followed:
                    async for _, alerts in followed:
                        for each in alerts:
                            self.send("search_matched", alert_data(each.alert, each.collection.name))
                        await self.wait_writable()


def parse_number(value: str) -> int:
    """The number after which to continue. Raises Invalid."""
    if not (value.isascii() and value.isdigit() and len(value) <= _DIGITS):
        raise Invalid("since must be the number of an alert: a whole number from 0.")
    return int(value)
