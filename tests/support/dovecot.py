"""Debian's Dovecot on loopback, as the user who runs the tests: one account, its mail in a folder."""

from __future__ import annotations

import imaplib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from pathlib import Path

from support.local_tls import Certificate, free_port
from support.patience import patience

USER, PASSWORD = "ada", "an-unguessable-mail-password"
_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
default_internal_user = {login}
default_internal_group = {login_group}
default_login_user = {login}
first_valid_uid = 0
mail_location = maildir:{folder}/mail/box:LAYOUT=fs
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Trash {{
    special_use = \\Trash
    auto = create
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
  chroot =
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/home
}}
"""


class Mailbox:
    """Dovecot's mail, changed through IMAP as a mail program does. `certificate` is the file that signs for TLS."""

    def __init__(self, port: int, tls_port: int, certificate: Path) -> None:
        self.port = port
        self.tls_port = tls_port
        self.certificate = certificate

    def put(self, subject: str, text: str, folder: str = "INBOX") -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "Ada <ada@example.org>", "b@example.org", subject
        message["Date"] = "Sat, 28 Nov 2026 10:00:00 +0000"
        message.set_content(text)
        with self._session() as imap:
            imap.create(f'"{folder}"')
            kind, answer = imap.append(f'"{folder}"', None, None, message.as_bytes())
            assert kind == "OK", answer

    def remove(self, subject: str, folder: str = "INBOX", *, expunge: bool = True) -> None:
        """Mark a message as deleted, and remove it."""
        with self._session() as imap:
            imap.select(f'"{folder}"')
            _, [found] = imap.uid("SEARCH", "SUBJECT", f'"{subject}"')
            imap.uid("STORE", found.decode(), "+FLAGS", "(\\Deleted)")
            if expunge:
                imap.expunge()

    def renew(self, folder: str, subject: str, text: str) -> None:
        """Remove a folder and make another of its name: its UIDVALIDITY changes."""
        with self._session() as imap:
            assert imap.delete(f'"{folder}"')[0] == "OK"
        self.put(subject, text, folder)

    @contextmanager
    def _session(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("127.0.0.1", self.port, 10) as imap:
            imap.login(USER, PASSWORD)
            yield imap


@contextmanager
def dovecot() -> Iterator[Mailbox]:
    """A running server. Its folder is not in pytest's: as root it gives the mail to a user who has to get there."""
    with tempfile.TemporaryDirectory(prefix="dovecot-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with _running(folder) as mailbox:
            yield mailbox


@contextmanager
def _running(folder: Path) -> Iterator[Mailbox]:
    port, tls_port = free_port(), free_port()
    certificate = Certificate(folder)
    own = pwd.getpwuid(os.getuid())
    login = "dovenull" if own.pw_uid == 0 else own.pw_name
    keeper = pwd.getpwnam("nobody") if own.pw_uid == 0 else own
    mail = folder / "mail"
    mail.mkdir()
    os.chown(mail, keeper.pw_uid, keeper.pw_gid)
    config = folder / "dovecot.conf"
    config.write_text(
        _CONFIG.format(
            folder=folder,
            port=port,
            tls_port=tls_port,
            login=login,
            login_group=login,
            password=PASSWORD,
            uid=keeper.pw_uid,
            gid=keeper.pw_gid,
        )
    )
    program = shutil.which("dovecot") or "/usr/sbin/dovecot"
    process = subprocess.Popen([program, "-F", "-c", str(config)])
    try:
        deadline = time.monotonic() + patience()
        while not _answers(port):
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield Mailbox(port, tls_port, certificate.file)
    finally:
        process.terminate()
        process.wait(patience())


def _answers(port: int) -> bool:
    with suppress(OSError, imaplib.IMAP4.error), imaplib.IMAP4("127.0.0.1", port, 2) as imap:
        return imap.login(USER, PASSWORD)[0] == "OK"
    return False
