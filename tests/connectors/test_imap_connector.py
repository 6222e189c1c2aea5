"""The connector for IMAP against Debian's Dovecot: what is fetched, what is gone, and after a crash at any point."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.dovecot import PASSWORD, USER, Mailbox, dovecot
from support.fetched_source import FetchedSource

from pipeline.connectors.imap.names import decoded, mailboxes
from pipeline.connectors.protocol import ConnectorError

pytestmark = pytest.mark.gen_test


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    with dovecot() as mailbox:
        mailbox.put("Tides", "The tide rises twice a day.")
        mailbox.put("Fog", "In fog the horn sounds.")
        mailbox.put("Lamps", "The lamps burn all night.", "Archive/2026")
        mailbox.put("Spam", "Buy sand.", "Trash")
        yield mailbox


def _source(mail: Mailbox, data: Path, **options: Any) -> FetchedSource:
    own = {"host": "127.0.0.1", "port": mail.port, "security": "none", "username": USER, "password": PASSWORD}
    return FetchedSource(data, "imap", {**own, **options})


def _subjects(found: dict[str, str]) -> set[tuple[str, str]]:
    """(folder, subject) of each message; no message is there twice."""
    subjects = [
        (
            name.rpartition("/")[0],
            next(line for line in text.splitlines() if line.startswith("Subject: "))[9:],
        )
        for name, text in found.items()
    ]
    assert len(set(subjects)) == len(subjects)
    return set(subjects)


async def test_only_new_messages_are_fetched_and_those_that_are_gone_are_removed(
    mail: Mailbox, tmp_path: Path
) -> None:
    source = _source(mail, tmp_path / "data")
    first = await source.scan()
    assert _subjects(first) == {("INBOX", "Tides"), ("INBOX", "Fog"), ("Archive/2026", "Lamps")}
    assert await source.scan() == first and source.fetched == 0

    mail.put("Comet", "A comet was seen.")
    mail.remove("Tides")
    mail.remove("Fog", expunge=False)
    assert _subjects(await source.scan()) == {("INBOX", "Comet"), ("Archive/2026", "Lamps")}
    assert source.fetched == 1

    mail.renew("Archive/2026", "Reefs", "The chart shows the reef.")
    assert _subjects(await source.scan()) == {("INBOX", "Comet"), ("Archive/2026", "Reefs")}


@pytest.mark.parametrize("failpoint", ["fetching.kept:2", "fetching.finished"])
async def test_after_a_crash_nothing_is_lost_or_kept_twice(
    mail: Mailbox, tmp_path: Path, failpoint: str
) -> None:
    source = _source(mail, tmp_path / "data")
    source.scan_that_dies(failpoint)
    mail.put("Comet", "A comet was seen.")
    mail.put("Reefs", "The chart shows the reef.")
    mail.remove("Tides")
    source.scan_that_dies(failpoint)
    assert _subjects(await source.scan()) == {
        ("INBOX", "Fog"),
        ("INBOX", "Comet"),
        ("INBOX", "Reefs"),
        ("Archive/2026", "Lamps"),
    }


async def test_folders_are_chosen_by_globs_and_wrong_passwords_are_named(
    mail: Mailbox, tmp_path: Path
) -> None:
    chosen = _source(mail, tmp_path / "data", folders=["Archive/**", "Trash"])
    assert _subjects(await chosen.scan()) == {("Archive/2026", "Lamps"), ("Trash", "Spam")}
    with pytest.raises(ConnectorError, match="no such folder; it has"):
        await _source(mail, tmp_path / "absent", folders=["Absent"]).scan()
    with pytest.raises(ConnectorError, match="refuses the user and the password") as refused:
        await _source(mail, tmp_path / "wrong", password="a wrong password").scan()
    assert "a wrong password" not in str(refused.value)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_an_encrypted_connection_needs_a_certificate_that_is_valid_here(
    mail: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    port = mail.tls_port if security == "tls" else mail.port
    with pytest.raises(ConnectorError, match=r"certificate of .* is not valid here"):
        await _source(mail, tmp_path / "refused", port=port, security=security).scan()
    monkeypatch.setenv("SSL_CERT_FILE", str(mail.certificate))
    found = await _source(mail, tmp_path / "data", port=port, security=security).scan()
    assert _subjects(found) == {("INBOX", "Tides"), ("INBOX", "Fog"), ("Archive/2026", "Lamps")}


def test_names_of_mailboxes_are_read_as_servers_write_them() -> None:
    lines = [
        b'(\\HasNoChildren) "." "Entw&APw-rfe.A&-B"',
        b'(\\Noselect) "/" "Public"',
        (b'(\\Junk) "/" {4}', b"Ju/k"),
        b"() NIL INBOX",
        b'(\\HasNoChildren) "\\\\" "a\\"b"',
    ]
    found = mailboxes(lines)
    assert [(each.path, each.usual) for each in found] == [
        ("Entwürfe/A&B", True),
        ("Ju/k", False),
        ("INBOX", True),
        ('a"b', True),
    ]
    assert found[-1].quoted == '"a\\"b"'
    assert decoded("&broken") == "&broken" and decoded("&!!-") == "&!!-"
