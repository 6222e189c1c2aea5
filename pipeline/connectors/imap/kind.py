"""The connector for IMAP: the messages of mailboxes, each as a document. Runs on the loop, the connection in threads.

A message never changes: its name has the mailbox, the mailbox's UIDVALIDITY and the UID. The cursor has of each mailbox
what STATUS says; where UIDVALIDITY, UIDNEXT, the number of messages and HIGHESTMODSEQ are the same, nothing is listed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple
from ipaddress import ip_address
from urllib.parse import quote

from pipeline.connectors.imap.names import Mailbox
from pipeline.connectors.imap.session import Envelope, MailboxState, Server, Session
from pipeline.connectors.protocol import (
    Connection,
    ConnectorError,
    Fetched,
    Field,
    Item,
    ItemError,
    KeptItem,
    Options,
    Unchanged,
)
from semantik.app.network import Unreachable
from semantik.core.errors import Invalid
from semantik.core.globs import Globs

_ENVELOPES = 500  # asked for at once
_MAX_MESSAGE_BYTES = 256 << 20  # a message is in memory once
_PORTS = {"tls": 993, "starttls": 143, "none": 143}


class ImapKind:
    """Sources of the kind `imap`."""

    title = "Mailbox (IMAP)"
    fields = (
        Field("host", "Server", required=True, fixed=True, hint="As imap.example.org."),
        Field("username", "User", required=True, fixed=True),
        Field("password", "Password", "secret", hint="Stored encrypted, and never shown again."),
        Field(
            "folders",
            "Folders",
            "list",
            hint="Globs such as INBOX or Archive/**, one a line. Empty: all but drafts, junk and trash.",
        ),
        Field(
            "security",
            "Encryption",
            "choice",
            default="tls",
            choices=("tls", "starttls", "none"),
            hint="none only within a private network.",
        ),
        Field("port", "Port", "integer", fixed=True, low=0, high=65_535, default=0, hint="0: the usual one."),
    )

    def address(self, options: Options) -> str:
        host, security = str(options["host"]).lower(), str(options["security"])
        if not host or not all(char.isalnum() or char in "-._:" for char in host) or not host.isascii():
            raise Invalid(
                "options.host is not allowed: the name of a server as imap.example.org is expected."
            )
        Globs(_folders(options))
        port = _port(options)
        shown = f"[{host}]" if ":" in host else host
        suffix = "" if port == _PORTS[security] else f":{port}"
        scheme = "imaps" if security == "tls" else "imap"
        return f"{scheme}://{quote(str(options['username']), safe='')}@{shown}{suffix}"

    @asynccontextmanager
    async def connect(self, connection: Connection) -> AsyncIterator[ImapConnector]:
        options, network = connection.options, connection.network
        host, port, security = str(options["host"]), _port(options), str(options["security"])
        try:
            [address, *_] = await network.resolve(host, port)
        except Unreachable as error:
            raise ConnectorError(str(error)) from error
        if security == "none" and ip_address(address).is_global:
            raise ConnectorError(
                f"{host} is not in a private network, and the password would go there unencrypted: choose tls or "
                "starttls."
            )
        limit = min(connection.max_item_bytes, _MAX_MESSAGE_BYTES)
        session = Session(Server(host, address, port, security, network.timeout_s, limit))
        try:
            await asyncio.to_thread(session.open, str(options["username"]), str(options["password"]))
            yield ImapConnector(session, connection, limit)
        finally:
            await asyncio.to_thread(session.close)


class ImapConnector:
    """The messages of the mailboxes that match the option `folders`."""

    def __init__(self, session: Session, connection: Connection, max_message_bytes: int) -> None:
        self._session = session
        self._folders = _folders(connection.options)
        self._max_bytes = max_message_bytes
        self._before: dict[str, list[int]] = json.loads(connection.cursor) if connection.cursor else {}
        self._now: dict[str, list[int]] = {}
        self._places: dict[str, tuple[Mailbox, int, Envelope | None]] = {}

    @property
    def unchanged(self) -> bool:
        return bool(self._before) and self._now == self._before

    @property
    def cursor(self) -> str:
        return json.dumps(self._now)

    @property
    def warnings(self) -> Sequence[str]:
        return ()

    async def items(self, kept: Mapping[str, KeptItem]) -> AsyncGenerator[Item, None]:
        found: list[tuple[Mailbox, MailboxState]] = []
        for mailbox in await self._mailboxes():
            state = await asyncio.to_thread(self._session.state, mailbox)
            if state is not None:
                found.append((mailbox, state))
                self._now[mailbox.path] = list(astuple(state))
        if self.unchanged:
            return
        by_prefix = await asyncio.to_thread(_by_prefix, kept)
        for mailbox, state in found:
            prefix = f"{mailbox.path}/{state.validity}-"
            if self._before.get(mailbox.path) == self._now[mailbox.path]:
                for name in by_prefix.get(prefix, ()):
                    yield Item(name, kept[name].revision)
                continue
            uids = await asyncio.to_thread(self._session.uids, mailbox, state)
            for at in range(0, len(uids), _ENVELOPES):
                some = uids[at : at + _ENVELOPES]
                new = [uid for uid in some if f"{prefix}{uid}.eml" not in kept]
                envelopes = await asyncio.to_thread(self._session.envelopes, mailbox, new) if new else {}
                for uid in some:
                    name = f"{prefix}{uid}.eml"
                    self._places = {name: (mailbox, uid, envelopes.get(uid))}
                    yield Item(name, f"{state.validity}.{uid}")

    async def fetch(self, item: Item, kept: KeptItem | None) -> Fetched | Unchanged | None:
        mailbox, uid, envelope = self._places[item.name]
        if envelope is None:  # kept, but of a scan that a crash has ended
            envelope = (await asyncio.to_thread(self._session.envelopes, mailbox, [uid])).get(uid)
        if envelope is None:
            return None
        if envelope.size > self._max_bytes:
            raise ItemError(f"The message has {envelope.size:,} bytes, which is more than is kept of one.")
        message = await asyncio.to_thread(self._session.message, mailbox, uid)
        if message is None:
            return None
        return Fetched(_once(message), envelope.received_s * 1_000_000_000, origin={"folder": mailbox.path})

    async def _mailboxes(self) -> list[Mailbox]:
        """The mailboxes of the source, by name. Raises ConnectorError when there is none."""
        every = await asyncio.to_thread(self._session.mailboxes)
        globs = Globs(self._folders)
        wanted = [each for each in every if (globs.match(each.path) if self._folders else each.usual)]
        if not wanted:
            names = ", ".join(sorted(each.path for each in every)[:20])
            raise ConnectorError(f"The mail server has no such folder; it has {names or 'none'}.")
        return sorted(wanted, key=lambda each: each.path)


def _by_prefix(names: Iterable[str]) -> dict[str, list[str]]:
    """The names of messages by what they have in common in one mailbox: all before the UID."""
    grouped: dict[str, list[str]] = {}
    for name in names:
        grouped.setdefault(name[: name.rfind("-") + 1], []).append(name)
    return grouped


async def _once(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content


def _folders(options: Options) -> tuple[str, ...]:
    folders = options["folders"]
    assert isinstance(folders, tuple)
    return folders


def _port(options: Options) -> int:
    return int(str(options["port"])) or _PORTS[str(options["security"])]
