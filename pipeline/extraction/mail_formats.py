"""Tells e-mails, mailboxes, calendars and contacts from other texts, by their first bytes. Pure.

A message needs no suffix: the files of a Maildir have none. Its header must be one that only a mail program writes, so
that a memo with "From:" and "Subject:" stays a text.
"""

from __future__ import annotations

import re

from pipeline.extraction.file_format import Format

MAIL = Format("message/rfc822", "an e-mail")
APPLE_MAIL = Format("message/x-emlx", "an e-mail")
MAILBOX = Format("application/mbox", "a mailbox")
SIGNED = Format("application/pkcs7-mime", "a signed or encrypted file")
MAIL_INDEX = Format("application/x-mork", "an index of a mail program")
CALENDAR = Format("text/calendar", "a calendar")
CONTACTS = Format("text/vcard", "a contact")

_SAMPLE = 65_536  # bytes
BY_MAIL_SUFFIX = {
    ".eml": MAIL, ".emlx": APPLE_MAIL, ".ics": CALENDAR, ".ical": CALENDAR, ".ifb": CALENDAR, ".icalendar": CALENDAR,
    ".vcs": CALENDAR, ".vcf": CONTACTS, ".vcard": CONTACTS,
}  # fmt: skip
# Texts that may quote a header at their beginning; `.txt` only becomes a message with the trace of a server.
_TEXTS = re.compile(
    r"\.(?:txt|text|md|markdown|patch|diff|log|rst|html?|mht|mhtml|xml|json|csv|py|c|h|org|adoc|asc|tex)\Z"
)

# "From ilse@example.org Tue Mar  3 10:00:00 2026", with a zone or a remark here or there.
POSTMARK = re.compile(
    rb"From [^\r\n]{0,300}?\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?[ \t]+"
    rb"(?:[A-Z][a-z]{2}[ \t]+\d{1,2}|\d{1,2}[ \t]+[A-Z][a-z]{2})"
    rb"[, \t]+(?:\d{4}[ \t]+)?\d{1,2}:\d\d(?::\d\d)?[^\r\n]{0,60}\r?\n"
)
FIELD = re.compile(rb"([!-9;-~]{1,76})[ \t]*:|[ \t]+\S")
_MARK = b"\xef\xbb\xbf"
_TRACES = {b"received", b"message-id", b"return-path", b"delivered-to", b"x-mozilla-status", b"dkim-signature",
           b"mime-version", b"content-transfer-encoding", b"x-originating-ip", b"x-mailer", b"user-agent",
           b"x-gm-thrid", b"x-received", b"in-reply-to", b"newsgroups"}  # fmt: skip
_PEOPLE = {b"from", b"to", b"sender", b"reply-to", b"return-path", b"delivered-to", b"cc"}
_KNOWN = _TRACES | _PEOPLE | {b"subject", b"date", b"content-type", b"references", b"list-id", b"status", b"x-status",
                            b"path", b"xref", b"organization"}  # fmt: skip
_DATE = re.compile(
    rb"(?im)^date:[ \t]*(?:\w{3},[ \t]*)?\d{1,2} \w{3} \d{4} \d\d:\d\d(?::\d\d)?[ \t]+(?:[+-]\d{4}|GMT|UTC?)\b"
)
_PERSON = re.compile(
    rb"(?im)^(?:from|sender|return-path|to|delivered-to):[^\r\n]*(?:\r?\n[ \t][^\r\n]*){0,20}?[\w.+-]@[\w-]"
)
_CMS = re.compile(rb"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07[\x02\x03]")  # of signed and enveloped data
_APPLE_LENGTH = re.compile(rb"\d{1,12}[ \t]*\r?\n")


def mail_format(data: bytes, suffix: str) -> Format | None:
    """The format of a message, mailbox, calendar or contact; None for everything else, and what is no text at all."""
    start = data[:_SAMPLE].removeprefix(_MARK).lstrip(b"\r\n")
    named = BY_MAIL_SUFFIX.get(suffix)
    if start.startswith(b"From ") and named in (None, MAIL) and _is_mailbox(start, suffix):
        return MAILBOX
    if named in (MAIL, APPLE_MAIL):
        return named if _begins_with_fields(start, named) else None
    upper = start[:2000].upper()
    if upper.startswith(b"BEGIN:VCALENDAR"):
        return CALENDAR
    if upper.startswith(b"BEGIN:VCARD"):
        return CONTACTS
    if start.startswith(b"// <!-- <mdb:mork"):
        return MAIL_INDEX
    if data[:1] == b"\x30" and _CMS.search(data[:64]):
        return SIGNED
    if length := _APPLE_LENGTH.match(start):
        return APPLE_MAIL if not _TEXTS.search(suffix) and is_header(start[length.end() :]) else None
    is_text = suffix == ".txt"
    if (is_text or not _TEXTS.search(suffix)) and is_header(start, only_traced=is_text):
        return MAIL
    return named


def _begins_with_fields(start: bytes, named: Format) -> bool:
    """Whether a file that is called a message may be one; else it is what its bytes say."""
    if named == APPLE_MAIL and (length := _APPLE_LENGTH.match(start)):
        start = start[length.end() :]
    return b"\0" not in start[:64] and FIELD.match(start) is not None


def _is_mailbox(start: bytes, suffix: str) -> bool:
    """Whether a postmark and the header of a message follow each other; a patch begins like that, too."""
    postmark = POSTMARK.match(start)
    if postmark is None or suffix in (".patch", ".diff", ".eml"):
        return False
    names = field_names(start[postmark.end() :])
    return len(_KNOWN.intersection(names)) >= 2


def is_header(start: bytes, only_traced: bool = False) -> bool:
    """Whether a text begins with the header of a message as mail programs write it.

    only_traced: whether a server must have left its trace.
    """
    names = field_names(start)
    known = _KNOWN.intersection(names)
    if len(known) < 3 or (
        names[0] not in _KNOWN and not names[0].startswith((b"x-", b"arc-", b"authentication-"))
    ):
        return False
    if _PERSON.search(start) is None:
        return False
    traces = _TRACES.intersection(names)
    if only_traced:
        return b"message-id" in traces and bool({b"received", b"return-path", b"mime-version"} & traces)
    return bool(traces) or _DATE.search(start) is not None


def is_known_field(name: bytes) -> bool:
    """Whether a name in lower case is one of a message's header."""
    return name in _KNOWN


def field_names(start: bytes) -> list[bytes]:
    """The names of the header fields at the beginning, in lower case; empty where a line is none."""
    names = []
    for line in start.splitlines():
        if not line.strip():
            break
        found = FIELD.match(line)
        if found is None:
            return []
        if found[1]:
            names.append(found[1].lower())
    return names
