"""What a check finds, what it needs to know, and how an issue is repaired."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from semantik.config.settings import Settings
from semantik.core.models import Collection
from semantik.storage.mongo import Store

Repair = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Issue:
    """An inconsistency, or something past its retention time: a sentence for a person, and what is done about it.

    Two issues are equal when `kind` and `subject` are: the numbers in the description may differ from one check to the
    next. `bytes` are those that a repair frees. Where `repair` is None, it cannot be repaired from here, and `remedy`
    says what helps. An `informational` issue needs no repair.
    """

    kind: str
    subject: str
    description: str = field(compare=False)
    remedy: str = field(compare=False)
    repair: Repair | None = field(default=None, compare=False, repr=False)
    bytes: int = field(default=0, compare=False)
    informational: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class CheckContext:
    """What the checks read. `served`: a server runs on the data folder, so its index must not be changed.

    `redis_url` is empty where Redis cannot be reached from here.
    """

    store: Store
    settings: Settings
    redis_url: str
    served: bool


Check = Callable[[CheckContext], AsyncIterator[Issue]]


async def is_idle(store: Store, collection: Collection) -> bool:
    """Whether no operation runs on the collection; one that has ended may have left its lock behind."""
    if collection.running is None:
        return True
    holder = await store.operations.get(collection.running)
    return holder is None or holder.ended
