"""What a connector is: it lists the items of a remote source, and fetches one; the rest is done for it.

A connector is an entry point of the group `semantik.connectors`, whose name is the `kind` of its sources and whose
object is a `ConnectorKind`. A scan of such a source goes through `Connector.items`, fetches each item whose
revision is not known, and keeps it as a file (`kept_files.py`); what a complete list does not name any more is
removed. Every step may be repeated: after a crash the scan lists again, and what was kept is not fetched again.
Runs on the loop, so whatever blocks goes to a thread.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from semantik.app.network import Network
from semantik.core.errors import Invalid


class ConnectorError(Invalid):
    """The source cannot be read now; the message is a sentence that says what to do. The scan ends, and fails."""


class ItemError(Exception):
    """One item cannot be fetched: it is left as it is, with the message as a warning, and fetched with the next
    scan.
    """


FieldType = Literal["text", "secret", "list", "choice", "integer"]


@dataclass(frozen=True)
class Field:
    """One option of a source, for the check of what a client sends and for the form in the page.

    `secret`: stored encrypted and never shown again. `choices`: the allowed texts of a `choice`. `low` and `high` bound
    an `integer`. `fixed`: it is part of the source's address, so it cannot be changed later.
    """

    name: str
    label: str
    type: FieldType = "text"
    required: bool = False
    fixed: bool = False
    hint: str = ""
    default: str | int = ""
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 0


Options = Mapping[str, object]
"""The values of a source's fields by their names, secret ones too: texts, integers, and tuples of texts."""


@dataclass(frozen=True)
class Item:
    """One item of a source. `name` is its path below the source's address, with slashes, unique and stable.

    `revision` changes with its content; "" if that is known only after it was fetched.
    """

    name: str
    revision: str = ""


@dataclass(frozen=True)
class KeptItem:
    """An item as it was fetched: what `Fetched` said of it."""

    revision: str
    state: str


@dataclass(frozen=True)
class Fetched:
    """The content of an item: its bytes in pieces, and what is known of it.

    modified_ns: when it changed, in nanoseconds since 1970, the same as long as the content is.
    revision: as in `Item`, if that had none.
    origin: what is shown with the document, as texts.
    state: for the connector alone; it gets it back as `KeptItem.state`.
    """

    content: AsyncGenerator[bytes, None]
    modified_ns: int
    revision: str = ""
    origin: Mapping[str, str] = field(default_factory=dict)
    state: str = ""


Unchanged = Literal["unchanged"]


@dataclass(frozen=True)
class Connection:
    """What a connector works with.

    cursor: what `Connector.cursor` was at the end of the last complete scan with the same options, or "".
    folder: a folder of its own on this server's disk, which exists; it may be lost at any time.
    network: the addresses that it may reach, and its deadlines.
    max_item_bytes: of a larger item nothing need be fetched.
    max_bytes: all items together, and the folder, may have so many.
    """

    options: Options
    cursor: str
    folder: Path
    network: Network
    max_item_bytes: int
    max_bytes: int


class Connector(Protocol):
    """The items of one source, during one scan."""

    def items(self, kept: Mapping[str, KeptItem]) -> AsyncGenerator[Item, None]:
        """All items that there are, each once. Raises ConnectorError.

        `kept` are those that were fetched before, by name.
        The next item is asked for after the one before was fetched, so that a list may grow by what was fetched.
        """

    async def fetch(self, item: Item, kept: KeptItem | None) -> Fetched | Unchanged | None:
        """The content of an item that was just listed; None when it does not exist any more.

        Raises ItemError, and ConnectorError when no further item can be fetched.
        """

    @property
    def unchanged(self) -> bool:
        """Whether nothing has changed since the cursor; known once `items` has ended, which then had no item."""

    @property
    def warnings(self) -> Sequence[str]:
        """Sentences about the scan for the user; asked for when it is complete."""

    @property
    def cursor(self) -> str:
        """What tells the next scan where this one ended; asked for when it is complete."""


class ConnectorKind(Protocol):
    """A kind of source. `title` names it in the page."""

    title: str
    fields: tuple[Field, ...]

    def address(self, options: Options) -> str:
        """The source's address, as https://example.org/handbook: the paths of its documents follow after a slash.

        It holds no secret. Raises Invalid for options that cannot be right.
        """

    def connect(self, connection: Connection) -> AbstractAsyncContextManager[Connector]:
        """Connect for one scan. Raises ConnectorError."""
