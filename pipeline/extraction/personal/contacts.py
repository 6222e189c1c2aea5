"""Contacts as text: each card below its name. Runs in the worker processes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.extraction import markdown
from pipeline.extraction.content import Content
from pipeline.extraction.personal import times
from pipeline.extraction.personal.content_lines import Component, Line, components

_LABELS = {
    "NICKNAME": "Nickname", "ORG": "Organization", "TITLE": "Title", "ROLE": "Role", "TEL": "Phone",
    "EMAIL": "E-mail", "ADR": "Address", "LABEL": "Address", "IMPP": "Messenger", "URL": "Web page", "BDAY": "Birthday",
    "ANNIVERSARY": "Anniversary", "DEATHDATE": "Died", "BIRTHPLACE": "Born in", "RELATED": "Related",
    "CATEGORIES": "Categories", "LANG": "Language", "GENDER": "Gender", "HOBBY": "Hobby", "EXPERTISE": "Expertise",
    "INTEREST": "Interest", "MEMBER": "Member", "MAILER": "Mail program", "X-ANNIVERSARY": "Anniversary",
    "X-SPOUSE": "Spouse", "X-MANAGER": "Manager", "X-ASSISTANT": "Assistant", "X-ABRELATEDNAMES": "Related",
    "X-ABDATE": "Date", "X-SOCIALPROFILE": "Profile", "X-JABBER": "Messenger", "X-SKYPE": "Skype", "X-ICQ": "ICQ",
    "X-SKYPE-USERNAME": "Skype", "X-AIM": "AIM", "X-MSN": "MSN", "X-PHONETIC-FIRST-NAME": "Spoken first name",
    "X-PHONETIC-LAST-NAME": "Spoken last name", "X-DEPARTMENT": "Department",
}  # fmt: skip
_DATES = ("BDAY", "ANNIVERSARY", "DEATHDATE", "X-ANNIVERSARY", "X-ABDATE")
_STRUCTURED = ("ORG", "ADR", "GENDER")
# Words of TYPE that tell a person nothing.
_NO_TYPES = {"pref", "internet", "voice", "text", "x-internet", "quoted-printable", "other", "parcel", "postal", "intl",
             "dom", "8bit", "7bit", "utf-8", "uri"}  # fmt: skip


def read(data: bytes) -> Content:
    """Every card of a file with its name as a heading; pictures, sounds and keys are left out."""
    cards = [each for each in components(data) if each.name == "VCARD"]
    sections = [_card(each) for each in cards]
    title = _name(cards[0]) if len(cards) == 1 else ""
    return Content("\n\n".join(sections), title or None, markdown=True)


def _name(card: Component) -> str:
    shown = " ".join(card.text("FN").split())
    if shown:
        return shown
    organization = ", ".join(filter(None, card.all("ORG")[0].fields())) if card.all("ORG") else ""
    return _structured_name(card) or organization or card.text("NICKNAME") or card.text("EMAIL")


def _structured_name(card: Component) -> str:
    for line in card.all("N"):
        family, given, middle, prefix, suffix = (*line.fields(), "", "", "", "", "")[:5]
        if name := " ".join(" ".join(filter(None, (prefix, given, middle, family, suffix))).split()):
            return name
    return ""


def _card(card: Component) -> str:
    name = _name(card)
    facts = list(_facts(card, name))
    notes = [markdown.literal(line.text) for line in card.all("NOTE") if line.text]
    inner = [markdown.demoted(_card(each)) for each in card.inner if each.name == "VCARD"]
    return "\n\n".join(filter(None, (f"# {name or 'Contact'}", "\n".join(facts), *notes, *inner)))


def _facts(card: Component, name: str) -> Iterator[str]:
    structured = _structured_name(card)
    if not {*structured.casefold().split()} <= {*name.casefold().split()}:
        yield f"Name: {structured}"
    own_labels = {line.group: _without_marks(line.text) for line in card.all("X-ABLABEL") if line.group}
    has_address = any(line.value.strip("; ") for line in card.all("ADR"))
    for line in card.lines:
        label = _LABELS.get(line.name)
        value = _value(line) if label else ""
        if not value or (line.name == "LABEL" and has_address):
            continue
        kinds = [own_labels[line.group]] if line.group in own_labels else _kinds(line)
        yield f"{label} ({', '.join(kinds)}): {value}" if kinds else f"{label}: {value}"


def _value(line: Line) -> str:
    if line.name in _DATES:
        return times.plain_date(line.text)
    if line.name in _STRUCTURED:
        return ", ".join(" ".join(each.split()) for each in line.fields() if each)
    if line.name in ("CATEGORIES", "NICKNAME"):
        return ", ".join(line.fields(","))
    return " ".join(
        re.sub(r"\A(?:tel|mailto|xmpp|x-apple|sip|im|aim):", "", line.text, flags=re.IGNORECASE).split()
    )


def _kinds(line: Line) -> list[str]:
    return [each for each in line.types if each not in _NO_TYPES]


def _without_marks(label: str) -> str:
    return re.sub(r"_\$!<(.*?)>!\$_", r"\1", label).lower()
