"""On whose behalf a tool runs, and what a tool answers. Plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handlers.services import Services
from semantik.auth.principal import Principal
from semantik.core.errors import SemantikError

Json = dict[str, Any]
Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Caller:
    """`note_refusal(error, what, arguments)` records in the audit trail that a tool was refused."""

    services: Services
    principal: Principal
    note_refusal: Callable[[SemantikError, str, Arguments], None]

    def answer_bytes(self, arguments: Arguments) -> int:
        """Bytes that the answer to a call with these arguments may have."""
        asked: int | None = arguments.get("max_bytes")
        return self.services.settings.mcp.answer_bytes if asked is None else asked


@dataclass(frozen=True)
class Link:
    """A document that an answer refers to, as a resource. `bytes` is what the link takes in the answer, roughly."""

    uri: str
    name: str
    title: str | None

    @property
    def bytes(self) -> int:
        return 150 + len(self.uri) + len(self.name.encode()) + len((self.title or "").encode())


@dataclass(frozen=True)
class Answer:
    """`structured` fits the tool's output schema; `links` are the documents in it, each once."""

    structured: Json
    links: Sequence[Link] = field(default=())
