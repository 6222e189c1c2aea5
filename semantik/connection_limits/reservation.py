"""What a connection reserves: counters to increment together, each with its limit. Knows no Redis. Runs on the loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import NamedTuple

from semantik.core.errors import Busy, SemantikError


class CounterKey(NamedTuple):
    """What is counted: the counter's key in Redis, and the user whose connections are counted."""

    key: str
    user: str


class Limit(NamedTuple):
    """`refusal` is the message of Busy, with `{n}` for what is counted and `{limit}`."""

    counter: CounterKey
    limit: int
    refusal: str


@dataclass(eq=False)
class Reservation:
    """Counters that are incremented and decremented together.

    `result` is None once they are counted, else why they are not. `released` is set by the connection that ends,
    which may be while the reservation is still pending.
    """

    limits: tuple[Limit, ...]
    result: asyncio.Future[SemantikError | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    counted: bool = False
    released: bool = False

    @property
    def counters(self) -> list[CounterKey]:
        return [limit.counter for limit in self.limits]

    def refuse(self, number: int, total: int) -> None:
        """The limit with this number, from 1, was reached: so many are counted there."""
        limit = self.limits[number - 1]
        self.resolve(Busy(limit.refusal.format(n=total, limit=limit.limit)))

    def resolve(self, refusal: SemantikError | None) -> None:
        if not self.result.done():
            self.result.set_result(refusal)
