"""Reads a parsed e-mail: its header fields, its text, what is attached to it, and what it could not read.

Runs in the worker processes. Knows nothing of the formats of attached files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.extraction import charsets, markdown
from pipeline.extraction.content import Attachment, Content
from pipeline.extraction.mail import cms, comparison, headers, mime, pages, plain, tnef
from pipeline.extraction.mail.mime import Part
from pipeline.extraction.personal import calendar
from semantik.core.metadata import split_tags

_SHOWN = (
    ("Subject", "subject"),
    ("From", "from"),
    ("To", "to"),
    ("Cc", "cc"),
    ("Bcc", "bcc"),
    ("Date", "date"),
)
_SIGNATURES = ("pgp-signature", "pkcs7-signature", "x-pkcs7-signature", "pgp-keys", "pgp-encrypted")
_OPAQUE = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_REPORTS = ("message/delivery-status", "message/disposition-notification", "message/feedback-report",
            "message/global-delivery-status", "text/rfc822-headers", "message/global-headers")  # fmt: skip
_DUPLICATES = ("text/x-amp-html", "text/watch-html")  # of the HTML page, for other devices
_PAGE = re.compile(rb"\s*(?:<!doctype html|<html[\s>])", re.IGNORECASE)
ENCRYPTED = "The message is encrypted; only its header is read."
_PARTLY_ENCRYPTED = "A part of the message is encrypted and not read."

_OUTSIDE = "The program that saved the message keeps its attachments in other files; here they are found by name only."


@dataclass
class _Found:
    """What the parts of a message hold, in order.

    texts: Markdown. files: (name, data, encoded or not). calendars: the bytes of invitations already among the texts.
    """

    texts: list[str] = field(default_factory=list)
    files: list[Part | Attachment] = field(default_factory=list)
    calendars: list[bytes] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, other: _Found) -> None:
        self.texts += other.texts
        self.files += other.files
        self.calendars += other.calendars
        self.warnings += [each for each in other.warnings if each not in self.warnings]

    @property
    def text(self) -> str:
        return "\n\n".join(each for each in self.texts if each)


def read(message: Part) -> Content:
    """The content of an e-mail. Its attachments are decoded one by one, when they are asked for."""
    charset = _charset(message)
    found = _read_part(message)
    fields = [(label, _shown(message, name, charset)) for label, name in _SHOWN]
    head = "\n\n".join(f"{label}: {value}" for label, value in fields if value)
    values = dict(fields)
    return Content(
        "\n\n".join(each for each in (head, found.text) if each),
        values["Subject"] or None,
        markdown=True,
        attachments=_attachments(found, charset),
        warnings=tuple(found.warnings),
        author=values["From"] or None,
        date=headers.date(message.header("date")) or _received(message),
        tags=_tags(message, charset),
    )


def _shown(message: Part, name: str, charset: str | None) -> str:
    value = message.header(name)
    if name in ("subject", "date"):
        return headers.text(value, charset)
    if name == "from":
        return headers.addresses(value or message.header("sender"), charset)
    every = b", ".join(value.strip() for each, value in message.fields if each == name and value.strip())
    return headers.addresses(every, charset)


def _tags(message: Part, charset: str | None) -> tuple[str, ...]:
    """Keywords of the sender, and labels of the reader's mail program."""
    stated = (value for name, value in message.fields if name in ("keywords", "x-keywords", "x-gmail-labels"))
    return split_tags(", ".join(headers.text(value, charset) for value in stated))


def _received(message: Part) -> str | None:
    """When the last server took the message: for one without a date of its own."""
    return headers.date(message.header("received").rpartition(b";")[2])


def _charset(message: Part) -> str | None:
    """That of the first part with text, else of a word in the header."""
    part = message
    while inner := part.parts() if part.type.startswith("multipart/") else []:
        part = next((each for each in inner if each.type.startswith(("text/", "multipart/"))), inner[0])
    return part.parameter("charset") or message.other_charset


def _read_part(part: Part) -> _Found:
    kind, _, subtype = part.type.partition("/")
    if kind == "multipart":
        return _multipart(part, subtype)
    if part.type in _OPAQUE or (subtype == "octet-stream" and part.name.lower().endswith(".p7m")):
        return _opaque(part)
    if subtype in _SIGNATURES or part.type in _DUPLICATES:
        return _Found()
    if _is_tnef(part):
        return _tnef(part)
    if part.type in _REPORTS:
        return _Found([markdown.literal(_report(part))])
    if _is_text(part):
        return _text(part)
    if part.header("x-apple-content-length") and not part.body.strip():
        return _Found(files=[part], warnings=[_OUTSIDE])
    is_picture_of_page = kind == "image" and part.disposition != "attachment" and part.header("content-id")
    return _Found() if is_picture_of_page else _Found(files=[part])


def _is_text(part: Part) -> bool:
    """Whether a part is text of the message, and not a file attached to it."""
    if not part.type.startswith("text/") or (part.disposition == "attachment" and part.depth):
        return False
    if part.type == "text/calendar":
        return True
    return part.type in ("text/plain", "text/html", "text/enriched", "text/richtext") and (
        not part.name or part.depth == 0
    )


def _multipart(part: Part, subtype: str) -> _Found:
    parts = part.parts()
    if subtype == "encrypted":
        return _Found(warnings=[ENCRYPTED])
    if subtype == "alternative":
        return _alternative([_read_part(each) for each in parts], parts)
    if subtype == "related":
        return _related(part, parts)
    found = _Found()
    before = ""
    for each in parts:
        inner = _read_part(each)
        repeats = _is_tnef(each) or (before == "text/plain" and each.type == "text/html")
        if repeats and not comparison.adds_words(inner.text, found.text):
            inner.texts.clear()
        found.add(inner)
        before = each.type
    return found


def _related(part: Part, parts: list[Part]) -> _Found:
    """A page with its pictures: those are out, and other files stay."""
    start = part.parameter("start").strip("<> ").encode()
    root = next((each for each in parts if start and start in each.header("content-id")), None)
    root = root or next((each for each in parts if not each.type.startswith("image/")), None)
    found = _Found()
    for each in parts:
        if each is root or not each.type.startswith("image/") or each.disposition == "attachment":
            found.add(_read_part(each))
    return found


def _alternative(versions: list[_Found], parts: list[Part]) -> _Found:
    """The better one of the versions; calendars and files that only one of them has are kept."""
    best: _Found | None = None
    best_is_page = False
    rest = _Found()
    for version, part in zip(versions, parts, strict=True):
        rest.files += version.files
        rest.warnings += version.warnings
        if part.type == "text/calendar":
            rest.texts += version.texts
            rest.calendars += version.calendars
            continue
        is_page = part.type == "text/html" or part.type.startswith("multipart/")
        if best is None or (
            comparison.better_is_page(best.text, version.text)
            if is_page or not best_is_page
            else not comparison.better_is_page(version.text, best.text)
        ):
            best, best_is_page = version, is_page
    return _Found(
        [*(best.texts if best else []), *rest.texts],
        rest.files,
        [*(best.calendars if best else []), *rest.calendars],
        list(dict.fromkeys(rest.warnings)),
    )


def _text(part: Part) -> _Found:
    charset = part.parameter("charset") or None
    data = part.content()
    if part.type == "text/calendar":
        shown = calendar.read(data, charset).text
        return _Found([shown], calendars=[data])
    if part.type == "text/html" or (part.type == "text/plain" and _PAGE.match(data)):
        return _Found([pages.page_markdown(pages.decode(data, charset, (part.other_charset,)))])
    data, encoded = plain.uuencoded(data)
    text = (
        charsets.decode(data, charset, (part.other_charset,))
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\0", "")
    )
    if part.type in ("text/enriched", "text/richtext"):
        text = plain.without_tags(text)
    elif part.parameter("format").lower() == "flowed":
        text = plain.unflowed(text, part.parameter("delsp").lower() == "yes")
    text, encrypted = plain.without_armour(text)
    files: list[Part | Attachment] = [
        Attachment(headers.text(name, charset), mime.uudecoded(lines)) for name, lines in encoded
    ]
    warnings = [_PARTLY_ENCRYPTED if re.search(r"\w", text) else ENCRYPTED] if encrypted else []
    return _Found([markdown.literal(text.strip("\n"))], files, warnings=warnings)


def _report(part: Part) -> str:
    """The fields of a delivery report, or the header of the message that it is about."""
    found = mime.parse(part.content().lstrip())
    if part.type.endswith("headers"):
        wanted = [(label, headers.text(found.header(name))) for label, name in _SHOWN]
        return "\n".join(f"{label}: {value}" for label, value in wanted if value)
    text = charsets.decode(part.content(), None).replace("\r\n", "\n").strip()
    return re.sub(r"\n[ \t]+", " ", text)


def _opaque(part: Part) -> _Found:
    """The signed message inside an S/MIME part."""
    inner = cms.signed_content(part.content())
    if inner is None:
        return _Found(warnings=[ENCRYPTED])
    signed = mime.parse(inner, depth=part.depth + 1, outer_charset=part.other_charset)
    if not signed.header("content-type"):  # a signed file, like contract.pdf.p7m
        name = part.name[:-4] if part.name.lower().endswith(".p7m") else part.name
        return _Found(files=[Attachment(name or "attachment", inner)])
    return _read_part(signed) if part.depth < mime.MAX_DEPTH else _Found()


def _is_tnef(part: Part) -> bool:
    return (
        part.type in ("application/ms-tnef", "application/vnd.ms-tnef") or part.name.lower() == "winmail.dat"
    )


def _tnef(part: Part) -> _Found:
    try:
        content = tnef.read(part.content())
    except ValueError:
        return _Found(
            files=[Attachment(part.name or "winmail.dat")],
            warnings=["Outlook's winmail.dat is damaged; its files are not read."],
        )
    texts = [content.text] if content.text else []
    return _Found(texts, list(content.attachments))


def _attachments(found: _Found, charset: str | None) -> Iterator[Attachment]:
    """Without invitations that are among the texts."""
    for file in found.files:
        if isinstance(file, Attachment):
            yield file
        elif file.type in ("message/rfc822", "message/global"):
            yield _attached_message(file)
        else:
            data = file.content()
            if data not in found.calendars:
                yield Attachment(file.name or file.type, data)


def _attached_message(part: Part) -> Attachment:
    inner = next(iter(part.parts()), None)
    if inner is None:
        return Attachment(part.name or "e-mail", b"")
    subject = headers.text(inner.header("subject"), _charset(inner))[:200]
    return Attachment(part.name or subject or "e-mail", content=read(inner))
