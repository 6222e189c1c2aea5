"""Alerts by mail, through a real SMTP server on loopback."""

from __future__ import annotations

import email
import email.policy
import queue
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from support.alerts import LAMP, QUICK, add, collection, save, until_alerts, until_delivery
from support.api import PASSWORD, new_user, refusal_of
from support.patience import patience
from support.server import SETUP_CODE, Serving
from tornado.testing import bind_unused_port

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


class _Mailbox:
    """Takes mail, after as many refusals as it is told."""

    def __init__(self) -> None:
        self.refusals: list[str] = []
        self.mails: queue.Queue[tuple[list[str], EmailMessage]] = queue.Queue()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.put((envelope.rcpt_tos, parsed))
        return "250 Taken"


@pytest.fixture
def mailbox() -> Iterator[tuple[_Mailbox, int]]:
    box = _Mailbox()
    socket, port = bind_unused_port()
    socket.close()
    controller = Controller(box, hostname="127.0.0.1", port=port, ready_timeout=patience())
    controller.start()
    yield box, port
    controller.stop()


def _smtp(port: int) -> tuple[str, ...]:
    return (
        *("--smtp-host=127.0.0.1", f"--smtp-port={port}", "--smtp-security=none"),
        *("--smtp-sender=search@example.org", "--alerts-public-url=https://search.example.org/"),
    )


async def _user(serving: Serving) -> Client:
    client = Client(serving.url)
    await client.register("ann", PASSWORD, SETUP_CODE)
    await client.sign_in("ann", PASSWORD)
    me = await client.call("GET", "auth/me")
    await client.call("PATCH", f"users/{me['id']}", {"email": "ann@example.net"})
    return client


async def test_what_is_found_together_comes_in_one_mail_also_after_a_refusal(
    start: Callable[..., Serving], tmp_path: Path, mailbox: tuple[_Mailbox, int]
) -> None:
    box, port = mailbox
    serving = start(*QUICK, *_smtp(port))
    client, folder = await _user(serving), tmp_path / "notes"
    collection_id = await collection(client, folder)
    box.refusals = ["451 Greylisted", "421 Busy"]
    saved = await save(client, name="Lamps\r\nBcc: eve@example.org", mail=True)
    texts = {"one": LAMP, "two": "A green lamp shines."}
    await add(client, collection_id, folder, **texts)
    found = await until_alerts(client, 2, search_id=saved["id"])
    told: list[str] = []
    while len(told) < len(found):
        recipients, mail = box.mails.get(timeout=patience())
        assert recipients == ["ann@example.net"] and mail["To"] == "ann@example.net"
        assert mail["From"] == "search@example.org" and mail["Bcc"] is None
        assert mail["Subject"].startswith("Lamps Bcc: eve@example.org: ")
        text = mail.get_content()
        told += [each["document"]["name"] for each in found if each["document"]["path"] in text]
        for each in found:
            if each["document"]["path"] in text:
                page = f"#/collections/{collection_id}/documents/{each['document']['id']}"
                assert each["passage"] in text and f"https://search.example.org/{page}" in text
    assert sorted(told) == ["one.txt", "two.txt"] and box.mails.empty()


async def test_a_refusal_for_good_is_not_tried_again(
    start: Callable[..., Serving], tmp_path: Path, mailbox: tuple[_Mailbox, int]
) -> None:
    box, port = mailbox
    serving = start(*QUICK, *_smtp(port))
    client, folder = await _user(serving), tmp_path / "notes"
    collection_id = await collection(client, folder)
    box.refusals = ["550 No such user"]
    saved = await save(client, mail=True)
    await add(client, collection_id, folder, one=LAMP)
    failed = await until_delivery(client, saved["id"], "failed", of="saved-searches")
    assert (failed["status_code"], failed["attempts"]) == (550, 1) and "No such user" in failed["error"]
    assert (failed["webhook_id"], failed["search_id"]) == (None, saved["id"])
    await add(client, collection_id, folder, two="A green lamp shines.")
    _, mail = box.mails.get(timeout=patience())
    assert "two.txt" in mail.get_content()
    place = f"saved-searches/{saved['id']}/deliveries"
    again = await client.call("POST", f"{place}/{failed['id']}/again")
    _, mail = box.mails.get(timeout=patience())
    assert "one.txt" in mail.get_content() and again["id"] in mail["Message-ID"]
    await until_delivery(client, saved["id"], "delivered", 2, of="saved-searches")
    page = await client.call("GET", place, limit=2)
    rest = await client.call("GET", place, cursor=page["next_cursor"])
    ids = [each["id"] for each in (*page["items"], *rest["items"])]
    assert len(set(ids)) == len(ids) == 3 and ids[0] == again["id"] and ids[-1] == failed["id"]
    stranger = await new_user(serving)
    assert (await refusal_of(stranger, "GET", place)).status == 404
    assert (await refusal_of(stranger, "POST", f"{place}/{failed['id']}/again")).status == 404
    assert (await refusal_of(client, "POST", f"{place}/unknown/again")).status == 404


async def test_mail_needs_a_server_and_an_address(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start(*QUICK)
    client = await new_user(serving)
    body = {"name": "A", "query": "lamp", "mail": True}
    refused = await refusal_of(client, "POST", "saved-searches", body)
    assert refused.status == 422 and "smtp.host" in str(refused)
    assert serving.stop() == 0
    serving = start(*QUICK, *_smtp(2525))
    client = await new_user(serving)
    refused = await refusal_of(client, "POST", "saved-searches", body)
    assert refused.status == 422 and "no e-mail address" in str(refused)
