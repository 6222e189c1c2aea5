"""Mailboxes: each message is a part, whatever stands in its body."""

from __future__ import annotations

import gzip
import io
import random

import pytest
from support.mail import read as read_text

from pipeline.extraction import formats
from pipeline.extraction.containers import mbox
from pipeline.extraction.containers.mbox import MailboxReader
from pipeline.extraction.content import ExtractError
from pipeline.extraction.part import ContainerLimits, Part

_LIMITS = ContainerLimits(1_000_000, 1 << 40)
_READER = MailboxReader()


def _message(number: int, body: str = "Words.", fields: str = "", postmark: str = "") -> bytes:
    head = postmark or f"From log{number}@ridge.example Mon Jan 27 09:12:00 2025"
    names = f"From: log{number}@ridge.example\nMessage-ID: <{number}@ridge.example>\n"
    return f"{head}\n{names}{fields}Subject: Log {number}\n\n{body}\n\n".encode()


def _parts(data: bytes) -> list[Part]:
    return list(_READER.parts(io.BytesIO(data), _LIMITS))


def _read(data: bytes, part: Part) -> bytes:
    return _READER.read(io.BytesIO(data), part.locator, 1 << 20)


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_each_message_is_a_part_under_its_id(ends: bytes) -> None:
    data = b"".join(_message(number) for number in range(5)).replace(b"\n", ends)
    parts = _parts(data)
    assert [part.name for part in parts] == [f"{number}@ridge.example" for number in range(5)]
    assert all(part.size == len(_read(data, part)) for part in parts)
    last = _read(data, parts[-1])
    assert last.startswith(b"From: log4@")
    assert last.endswith(b"Words." + ends)


@pytest.mark.parametrize(
    "postmark",
    [
        "From - Mon Jan 27 09:12:00 2025",
        "From MAILER-DAEMON Mon Jan 27 09:12:00 2025",
        "From ilse at ridge.example  Mon Jan 27 09:12:00 2025",
        "From ilse@ridge.example Mon, 27 Jan 2025 09:12:00 +0100",
        "From ilse@ridge.example Mon Jan 27 09:12 CET 2025",
        "From ilse@ridge.example  Mon Jan  7 09:12:00 2025 +0100 remote from relay",
    ],
)
def test_postmarks_of_many_programs(postmark: str) -> None:
    data = _message(1) + _message(2, postmark=postmark) + _message(3)
    assert len(_parts(data)) == 3
    assert formats.detect(_message(2, postmark=postmark), "").mime == "application/mbox"


@pytest.mark.parametrize(
    "line",
    [
        "From here the path leads to the mast.",
        "words before\n\nFrom here on Mon the path is closed, see 27 Jan.",
        "\nFrom ilse@ridge.example Mon Jan 27 09:12:00 2025\n\nis how a postmark looks.",
        "no blank line\nFrom ilse@ridge.example Mon Jan 27 09:12:00 2025\nSubject: quoted",
        "\n>From here it was quoted.",
    ],
)
def test_a_line_of_a_body_is_no_postmark(line: str) -> None:
    data = _message(1, line) + _message(2)
    assert [part.name[0] for part in _parts(data)] == ["1", "2"]


def test_quoted_lines_lose_one_mark() -> None:
    data = _message(1, "a\n\n>From the mast.\n>>From below.\n> From no postmark.\n>Fromage")
    body = _read(data, _parts(data)[0]).partition(b"\n\n")[2]
    assert body == b"a\n\nFrom the mast.\n>From below.\n> From no postmark.\n>Fromage\n"


def test_a_wrong_content_length_is_not_trusted() -> None:
    data = _message(1, fields="Content-Length: 99999\n") + _message(2, fields="Content-Length: 1\n")
    assert len(_parts(data)) == 2


def test_messages_that_thunderbird_deleted_are_left_out() -> None:
    states = {1: "0001", 2: "0009", 3: "0008", 4: "1001", 5: "000b"}
    data = b"".join(
        _message(number, fields=f"X-Mozilla-Status: {state}\n") for number, state in states.items()
    )
    assert [part.name[0] for part in _parts(data)] == ["1", "4"]


def test_messages_without_a_blank_line_between_them_in_thunderbirds_stores() -> None:
    data = b"".join(_message(number).rstrip() + b"\n" for number in range(3)).replace(
        b"\nFrom: ", b"\nX-Mozilla-Status: 0001\nFrom: "
    )
    assert len(_parts(data)) == 3


def test_names_and_digests_are_stable_while_others_come_and_go() -> None:
    no_id = b"From a Mon Jan 27 09:12:00 2025\nSubject: x\n\nNo id.\n\n"
    before = {part.name: part.digest for part in _parts(_message(1) + no_id + _message(2))}
    after = {
        part.name: part.digest for part in _parts(_message(3) + no_id + _message(2) + _message(1, "Other."))
    }
    assert {name: after[name] == digest for name, digest in before.items()} == {
        "1@ridge.example": False, "2@ridge.example": True, next(name for name in before if "@" not in name): True,
    }  # fmt: skip


def test_marking_a_message_as_read_does_not_change_it() -> None:
    states = (
        "X-Mozilla-Status: 0000\n",
        "X-Mozilla-Status: 0001\nX-Mozilla-Keys: $label1\n",
        "Status: RO\nX-Status: A\n",
    )
    assert len({_parts(_message(1, fields=state))[0].digest for state in states}) == 1


def test_the_same_id_twice_is_numbered_and_shown_on_one_line() -> None:
    data = _message(1) + _message(1, "Other.") + _message(2).replace(b"<2@", "<\u2028ü\t@".encode())
    assert [part.name for part in _parts(data)] == [
        "1@ridge.example",
        "1@ridge.example (2)",
        "ü @ridge.example",
    ]


def test_postmarks_across_blocks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mbox, "_BLOCK", 700)
    monkeypatch.setattr(mbox, "_AHEAD", 300)
    sizes = random.Random(5)
    data = b"".join(_message(number, "line\n" * sizes.randrange(400)) for number in range(60))
    parts = _parts(data)
    assert [part.name for part in parts] == [f"{number}@ridge.example" for number in range(60)]
    assert all(_read(data, part).startswith(b"From: log") for part in parts)


def test_a_changed_or_too_large_message_is_refused() -> None:
    data = _message(1, "x" * 5000)
    part = _parts(data)[0]
    with pytest.raises(ExtractError, match=r"at most 100 are read"):
        _READER.read(io.BytesIO(data), part.locator, 100)
    for changed in (data[:200], b"a" * len(data)):
        with pytest.raises(ExtractError, match="has changed"):
            _READER.read(io.BytesIO(changed), part.locator, 1 << 20)


@pytest.mark.parametrize(
    "data", [b"", b"no mailbox", b"From here to there.\n", b"From a Mon Jan 27 09:12:00 2025\n", bytes(9000)]
)
def test_what_is_no_mailbox_has_no_parts(data: bytes) -> None:
    assert _parts(data) == []


def test_a_compressed_mailbox_is_one_document_with_all_messages() -> None:
    found = read_text(
        gzip.compress(_message(1, "One word.") + _message(2, "Two words.")), "2025-January.txt.gz"
    )
    assert "# Log 1\n\nSubject: Log 1" in found.text
    assert "One word." in found.text
    assert "# Log 2\n\n" in found.text
