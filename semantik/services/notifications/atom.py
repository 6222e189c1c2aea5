"""The alerts of a saved search as a feed in Atom (RFC 4287). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from semantik.core.models import SavedSearch, rfc3339
from semantik.services.notifications.alerts import VisibleAlert
from semantik.services.notifications.content import document_url

_ATOM = "http://www.w3.org/2005/Atom"
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def atom(search: SavedSearch, alerts: Sequence[VisibleAlert], public_url: str, feed_url: str) -> bytes:
    """`alerts` come newest first. `public_url` is the server's address, `feed_url` that of the feed, without its
    secret.
    """
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed")
    _text(feed, "id", f"urn:uuid:{search.id}")
    _text(feed, "title", search.name)
    updated = alerts[0].alert.created_at if alerts else search.created_at
    _text(feed, "updated", rfc3339(updated))
    _text(feed, "generator", "Semantik")
    _link(feed, "self", feed_url)
    _link(feed, "alternate", f"{public_url}/#/alerts")
    for each in alerts:
        _entry(feed, each, public_url)
    xml: bytes = ElementTree.tostring(feed, "utf-8", xml_declaration=True)
    return xml


def _entry(feed: ElementTree.Element, visible: VisibleAlert, public_url: str) -> None:
    alert = visible.alert
    entry = ElementTree.SubElement(feed, f"{{{_ATOM}}}entry")
    _text(entry, "id", f"urn:semantik:alert:{alert.id}")
    place = f", page {alert.page}" if alert.page is not None else ""
    _text(entry, "title", f"{alert.title or alert.name}{place}")
    _text(entry, "updated", rfc3339(alert.created_at))
    _text(entry, "published", rfc3339(alert.created_at))
    author = ElementTree.SubElement(entry, f"{{{_ATOM}}}author")
    _text(author, "name", visible.collection.name)
    _link(entry, "alternate", document_url(alert, public_url))
    _text(entry, "content", alert.text).set("type", "text")


def _text(parent: ElementTree.Element, tag: str, text: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{_ATOM}}}{tag}")
    element.text = _NOT_IN_XML.sub("\ufffd", text)
    return element


def _link(parent: ElementTree.Element, relation: str, address: str) -> None:
    link = ElementTree.SubElement(parent, f"{{{_ATOM}}}link")
    link.set("rel", relation)
    link.set("href", address)
