"""What a look at the stores found, and what mends it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from semantik.config.settings import Settings
from semantik.core.models import Collection
from semantik.storage.mongo import Store

Mend = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Issue:
    """Something that does not fit, or is past its age: a sentence for a person, and what is done about it.

    `kind` and `subject` make it the same thing when it is seen again; the numbers in the sentence may differ. `bytes`
    are those that go. Where `mend` is None nothing can be done from here, and `remedy` says what helps. One that is a
    `note` is as it may be.
    """

    kind: str
    subject: str
    sentence: str = field(compare=False)
    remedy: str = field(compare=False)
    repair: Mend | None = field(default=None, compare=False, repr=False)
    bytes: int = field(default=0, compare=False)
    note: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class CheckContext:
    """What is looked at. `served`: a server runs on the data folder, whose index must then be left to it.

    `redis_url` is empty where Redis cannot be reached from here.
    """

    store: Store
    settings: Settings
    redis_url: str
    served: bool


Check = Callable[[CheckContext], AsyncIterator[Issue]]


async def is_idle(store: Store, collection: Collection) -> bool:
    """Whether no operation has the collection; one that has ended may have left its mark."""
    if collection.running is None:
        return True
    holder = await store.operations.get(collection.running)
    return holder is None or holder.ended
