"""Messages of Outlook: their MAPI properties as text, sender and date. Runs in the worker processes.

Knows nothing of the files the properties stand in: `.msg` (`outlook_file`) and winmail.dat (`tnef`).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from pipeline.extraction import charsets, markdown
from pipeline.extraction.mail import comparison, outlook_rtf, pages

SUBJECT, SENDER_NAME, SENDER_ADDRESS, SENDER_SMTP = 0x0037, 0x0C1A, 0x0C1F, 0x5D01
SENT_NAME, SENT_ADDRESS, SENT_SMTP = 0x0042, 0x0065, 0x5D02
SUBMITTED, DELIVERED, HEADERS, CLASS = 0x0039, 0x0E06, 0x007D, 0x001A
BODY, BODY_HTML, BODY_RTF = 0x1000, 0x1013, 0x1009
DISPLAY_TO, DISPLAY_CC, DISPLAY_BCC = 0x0E04, 0x0E03, 0x0E02
DISPLAY_NAME, ADDRESS, SMTP, RECIPIENT_TYPE = 0x3001, 0x3003, 0x39FE, 0x0C15
DATA, LONG_NAME, SHORT_NAME, MIME_TYPE, CONTENT_ID, FLAGS, HIDDEN = (
    0x3701, 0x3707, 0x3704, 0x370E, 0x3712, 0x3714, 0x7FFE)  # fmt: skip
_IN_TEXT = 4  # of the flags of an attachment
_MESSAGE_CODE_PAGE, _INTERNET_CODE_PAGE, _STORE_CODE_PAGE = 0x3FFD, 0x3FDE, 0x66C3
STRING8, UNICODE, BINARY, LONG, TIME = 0x001E, 0x001F, 0x0102, 0x0003, 0x0040

_CODE_PAGES = {
    65001: "utf-8", 65000: "utf-7", 1200: "utf-16", 1201: "utf-16-be", 20127: "us-ascii", 20866: "koi8-r",
    21866: "koi8-u", 51932: "euc-jp", 51936: "gb18030", 51949: "euc-kr", 54936: "gb18030", 52936: "hz",
    10000: "mac_roman", 10007: "mac_cyrillic", 20932: "euc-jp", 20936: "gb18030", 20949: "euc-kr", 38598: "iso-8859-8",
    50220: "iso-2022-jp", 50221: "iso-2022-jp", 50222: "iso-2022-jp", 50225: "iso-2022-kr",
}  # fmt: skip
# Of a contact, which has hardly a body.
_CONTACT = ((0x3A16, "Company"), (0x3A17, "Job title"), (0x3A08, "Business phone"), (0x3A1C, "Mobile phone"),
            (0x3A09, "Home phone"), (0x3A29, "Street"), (0x3A2A, "Postal code"), (0x3A27, "City"),
            (0x3A26, "Country"))  # fmt: skip


class Properties:
    """The properties of a message, a recipient or an attachment: id -> (type, bytes)."""

    def __init__(self, values: Mapping[int, tuple[int, bytes]], charset: str | None = None) -> None:
        self._values = values
        self.charset = self._own_charset() or charset

    def _own_charset(self) -> str | None:
        for key in (_MESSAGE_CODE_PAGE, _STORE_CODE_PAGE, _INTERNET_CODE_PAGE):
            if (number := self.number(key)) and number != 20127:
                return code_page(number)
        return None

    @property
    def page_charset(self) -> str | None:
        """That of the HTML body, where it is kept as bytes."""
        number = self.number(_INTERNET_CODE_PAGE)
        return code_page(number) if number else self.charset

    def has(self, key: int) -> bool:
        return key in self._values

    def raw(self, key: int) -> bytes:
        return self._values.get(key, (0, b""))[1]

    def is_binary(self, key: int) -> bool:
        return self._values.get(key, (0, b""))[0] == BINARY

    def text(self, key: int) -> str:
        kind, data = self._values.get(key, (0, b""))
        if kind == UNICODE:
            found = data[: len(data) & ~1].decode("utf-16-le", "replace")
        else:
            found = charsets.decode(data, self.charset)
        return found.rstrip("\0").replace("\0", "")

    def line(self, key: int) -> str:
        return " ".join(self.text(key).split())

    def number(self, key: int) -> int | None:
        data = self.raw(key)
        return int.from_bytes(data[:4], "little") if len(data) >= 2 else None

    def date(self, key: int) -> str | None:
        """A date in ISO 8601 of Greenwich."""
        data = self.raw(key)
        if len(data) < 8:
            return None
        ticks = struct.unpack_from("<Q", data)[0]
        try:
            moment = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
        except OverflowError:
            return None
        return moment.isoformat(timespec="seconds") if moment.year >= 1970 else None


def code_page(number: int) -> str:
    """The name of the charset of a Windows code page."""
    if 28591 <= number <= 28605:
        return f"iso-8859-{number - 28590}"
    return _CODE_PAGES.get(number, f"cp{number}")


def person(properties: Properties, name: int, smtp: int, address: int) -> str:
    """Like "Ilse Brandvold <ilse@example.org>"; an address of Exchange is none for a person."""
    shown = properties.line(name).strip("'\"")
    mail = next(
        (
            each
            for each in (properties.line(smtp), properties.line(address))
            if "@" in each and "/" not in each[:1]
        ),
        "",
    )
    if not shown or shown == mail:
        return mail
    return f"{shown} <{mail}>" if mail else shown


def head(message: Properties, recipients: Iterable[Properties], date: str | None) -> list[tuple[str, str]]:
    """The fields above the text of a message: (label, value)."""
    people: dict[int, list[str]] = {1: [], 2: [], 3: []}
    for each in recipients:
        people.setdefault((each.number(RECIPIENT_TYPE) or 1) & 3, []).append(
            person(each, DISPLAY_NAME, SMTP, ADDRESS)
        )
    shown = [
        ", ".join(filter(None, people[number])) or message.line(key)
        for number, key in ((1, DISPLAY_TO), (2, DISPLAY_CC), (3, DISPLAY_BCC))
    ]
    fields = [("Subject", message.line(SUBJECT)), ("From", sender(message))]
    fields += zip(("To", "Cc", "Bcc"), shown, strict=True)
    fields += [("Date", date or "")]
    if message.line(CLASS).upper().startswith("IPM.CONTACT"):
        fields += [(label, message.line(key)) for key, label in _CONTACT]
    return [(label, value) for label, value in fields if value]


def sender(message: Properties) -> str:
    return person(message, SENT_NAME, SENT_SMTP, SENT_ADDRESS) or person(
        message, SENDER_NAME, SENDER_SMTP, SENDER_ADDRESS
    )


def body(message: Properties) -> str:
    """The text of a message as Markdown: the better one of its plain text, its HTML page and its RTF."""
    plain = message.text(BODY).replace("\r\n", "\n").replace("\r", "\n")
    page = ""
    if message.has(BODY_HTML):
        raw = message.raw(BODY_HTML)
        page = (
            pages.decode(raw, message.page_charset)
            if message.is_binary(BODY_HTML)
            else message.text(BODY_HTML)
        )
    elif message.has(BODY_RTF):
        try:
            rtf = outlook_rtf.unpacked(message.raw(BODY_RTF))
        except ValueError:
            rtf = b""
        if outlook_rtf.is_page(rtf):
            page = outlook_rtf.text(rtf)
        elif not plain.strip():
            plain = outlook_rtf.text(rtf)
    as_markdown = pages.page_markdown(page) if page else ""
    if page and comparison.better_is_page(plain, as_markdown):
        return as_markdown
    return markdown.literal(plain.strip())


def file_name(attachment: Properties) -> str:
    """The name of an attachment, as its sender wrote it."""
    return next(filter(None, map(attachment.line, (LONG_NAME, SHORT_NAME, DISPLAY_NAME))), "attachment")


def is_picture_of_text(attachment: Properties) -> bool:
    """Whether an attachment is a picture that the message shows in its text."""
    is_picture = attachment.line(MIME_TYPE).lower().startswith("image/") or bool(
        re.search(r"\.(png|jpe?g|gif|bmp|svg|webp|emz|wmz)\Z", file_name(attachment), re.IGNORECASE)
    )
    in_text = (
        (attachment.number(FLAGS) or 0) & _IN_TEXT or attachment.number(HIDDEN) or attachment.has(CONTENT_ID)
    )
    return is_picture and bool(in_text)
