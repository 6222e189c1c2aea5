"""One connection to an IMAP server. Blocks: each method runs in a thread, one at a time.

imaplib takes what the server sends as it comes, so literals are bounded here, and UIDs are asked for in ranges: a line
of more than a million bytes ends its connection.
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pipeline.connectors.imap.names import Mailbox, mailboxes
from pipeline.connectors.protocol import ConnectorError

_UIDS_PER_SEARCH = 50_000
_STATUS = re.compile(rb"(UIDVALIDITY|UIDNEXT|MESSAGES|HIGHESTMODSEQ) (\d+)", re.IGNORECASE)
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


@dataclass(frozen=True)
class Server:
    """Where to connect: `address` was checked, `host` is the name that the certificate must have.

    `security` is tls, starttls or none.
    """

    host: str
    address: str
    port: int
    security: str
    timeout_s: float
    max_literal_bytes: int


@dataclass(frozen=True)
class MailboxState:
    """What STATUS says of a mailbox; `modseq` is 0 where the server has no CONDSTORE."""

    validity: int
    next_uid: int
    messages: int
    modseq: int


@dataclass(frozen=True)
class Envelope:
    """The size of a message in bytes, and when the server received it, in seconds since 1970."""

    size: int
    received_s: int


class Session:
    """`open` connects and signs in."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection: imaplib.IMAP4 | None = None
        self._selected = ""
        self._has_modseq = False

    def open(self, username: str, password: str) -> None:
        """Raises ConnectorError."""
        server = self._server
        with self._errors():
            kind = _Tls if server.security == "tls" else _Plain
            self._connection = connection = kind(server)
            if server.security == "starttls":
                connection.starttls(_context())
            try:
                if "AUTH=PLAIN" in connection.capabilities:
                    connection.authenticate("PLAIN", lambda _: f"\0{username}\0{password}".encode())
                else:
                    connection.login(username, password)
                # What a server can do, it may say only to those who are signed in.
                told = b" ".join(map(_bytes, _data(connection.capability())))
                self._has_modseq = b"CONDSTORE" in told.upper().split()
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as error:
                raise ConnectorError(
                    f"The mail server {server.host} refuses the user and the password of this source: change its "
                    "options."
                ) from error

    def close(self) -> None:
        """End the connection, also while another thread waits for it."""
        if self._connection is not None:
            with suppress(OSError, imaplib.IMAP4.error):
                self._connection.shutdown()

    def mailboxes(self) -> list[Mailbox]:
        with self._errors():
            return mailboxes(_data(self._imap.list()))

    def state(self, mailbox: Mailbox) -> MailboxState | None:
        """None when it cannot be opened."""
        wanted = "UIDVALIDITY UIDNEXT MESSAGES"
        if self._has_modseq:
            wanted += " HIGHESTMODSEQ"
        with self._errors():
            kind, data = self._imap.status(mailbox.quoted, f"({wanted})")
        if kind != "OK":
            return None
        found = {
            name.upper(): int(value) for line in data if line for name, value in _STATUS.findall(_bytes(line))
        }
        if not {b"UIDVALIDITY", b"UIDNEXT", b"MESSAGES"} <= found.keys():
            return None
        return MailboxState(
            found[b"UIDVALIDITY"], found[b"UIDNEXT"], found[b"MESSAGES"], found.get(b"HIGHESTMODSEQ", 0)
        )

    def uids(self, mailbox: Mailbox, state: MailboxState) -> list[int]:
        """The messages that the mailbox had in that state, without those that are marked as deleted."""
        self._select(mailbox)
        found: set[int] = set()
        for first in range(1, state.next_uid, _UIDS_PER_SEARCH):
            last = min(first + _UIDS_PER_SEARCH, state.next_uid) - 1
            with self._errors():
                data = _data(self._imap.uid("SEARCH", f"UID {first}:{last} UNDELETED"))
            found.update(
                int(each) for line in data if line for each in _bytes(line).split() if each.isdigit()
            )
        # A range that ends beyond the newest message gives that one, too.
        return sorted(each for each in found if each < state.next_uid)

    def envelopes(self, mailbox: Mailbox, uids: Sequence[int]) -> dict[int, Envelope]:
        self._select(mailbox)
        with self._errors():
            data = _data(self._imap.uid("FETCH", ",".join(map(str, uids)), "(UID INTERNALDATE RFC822.SIZE)"))
        found = {}
        for line in data:
            text = _bytes(line)
            uid, size = _UID.search(text), _SIZE.search(text)
            if uid and size:
                received = imaplib.Internaldate2tuple(text)
                found[int(uid[1])] = Envelope(int(size[1]), int(time.mktime(received)) if received else 0)
        return found

    def message(self, mailbox: Mailbox, uid: int) -> bytes | None:
        """The message as it was received; None when it is gone."""
        self._select(mailbox)
        with self._errors():
            data = _data(self._imap.uid("FETCH", str(uid), "(UID BODY.PEEK[])"))
        for part in data:
            if isinstance(part, tuple) and (match := _UID.search(part[0])) and int(match[1]) == uid:
                return bytes(part[1])
        return None

    @property
    def _imap(self) -> imaplib.IMAP4:
        assert self._connection is not None
        return self._connection

    def _select(self, mailbox: Mailbox) -> None:
        if self._selected != mailbox.raw:
            with self._errors():
                _data(self._imap.select(mailbox.quoted, readonly=True))
            self._selected = mailbox.raw

    @contextmanager
    def _errors(self) -> Iterator[None]:
        host = self._server.host
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise ConnectorError(
                f"The certificate of the mail server {host} is not valid here: {error.verify_message}."
            ) from error
        except TimeoutError as error:
            raise ConnectorError(
                f"The mail server {host} was silent for {self._server.timeout_s:g} s (connectors.timeout_s)."
            ) from error
        except (OSError, imaplib.IMAP4.error, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error) or "it ended the connection"
            raise ConnectorError(
                f"The mail server {host} cannot be read: {reason[:200].rstrip('.')}."
            ) from error


class _Plain(imaplib.IMAP4):
    def __init__(self, server: Server) -> None:
        self.server = server
        super().__init__(server.host, server.port, server.timeout_s)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return socket.create_connection((self.server.address, self.server.port), timeout)

    def read(self, size: int) -> bytes:
        if size > self.server.max_literal_bytes:
            raise self.abort(
                f"it sends {size:,} bytes at once, and at most {self.server.max_literal_bytes:,} are read"
            )
        return super().read(size)


class _Tls(_Plain):
    def _create_socket(self, timeout: float | None) -> socket.socket:
        return _context().wrap_socket(super()._create_socket(timeout), server_hostname=self.server.host)


def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _data(answer: tuple[str, Sequence[object]]) -> list[object]:
    """The lines of an answer that is OK; raises imaplib's error."""
    kind, data = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(_bytes(data[0]).decode("utf-8", "replace") if data else kind)
    return [each for each in data if each is not None]


def _bytes(line: object) -> bytes:
    if isinstance(line, tuple):
        return b" ".join(each for each in line if isinstance(each, bytes))
    return line if isinstance(line, bytes) else b""
