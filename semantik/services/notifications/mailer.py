"""Sends alerts by mail through the server of `smtp.host`. Runs on the loop.

aiosmtplib is imported with the first mail.
"""

from __future__ import annotations

import asyncio
import importlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

from semantik.config.settings import SmtpSettings
from semantik.core.models import Alert
from semantik.core.upload_paths import shown_path
from semantik.services.notifications.content import document_url
from semantik.services.notifications.outcome import Outcome

_PERMANENT = 500  # SMTP codes from here on: another attempt has the same result
_SHOWN = 200
_MAX_SUBJECT = 150


@dataclass(frozen=True)
class Found:
    """An alert, and the name of its collection."""

    alert: Alert
    collection: str


class Mailer:
    """`limits()` are the current settings."""

    def __init__(self, limits: Callable[[], SmtpSettings]) -> None:
        self._limits = limits

    @property
    def is_on(self) -> bool:
        return bool(self._limits().host)

    async def send(self, address: str, delivery_id: str, found: Sequence[Found], public_url: str) -> Outcome:
        """One mail that tells of all alerts that were found. `delivery_id` decides its Message-ID."""
        settings = self._limits()
        if not settings.host:
            return Outcome("failed", None, "No mail server is set (smtp.host).")
        message = mail(address, settings, delivery_id, found, public_url)
        await asyncio.to_thread(importlib.import_module, "aiosmtplib")
        import aiosmtplib

        try:
            async with asyncio.timeout(settings.timeout_s):
                await aiosmtplib.send(
                    message,
                    hostname=settings.host,
                    port=settings.port,
                    use_tls=settings.security == "tls",
                    start_tls=settings.security == "starttls",
                    username=settings.username or None,
                    password=settings.password or None,
                    timeout=settings.timeout_s,
                )
        except TimeoutError:
            return Outcome("retry", None, f"The mail server took longer than {settings.timeout_s:g} s.")
        except aiosmtplib.SMTPException as error:
            return _refused(error)
        except OSError as error:
            return Outcome("retry", None, f"The mail server cannot be reached: {error.strerror or error}.")
        return Outcome("delivered")


def mail(
    address: str, settings: SmtpSettings, delivery_id: str, found: Sequence[Found], public_url: str
) -> EmailMessage:
    """The mail; whatever documents contain stands in its text and its subject only."""
    first = found[0].alert
    sender = settings.sender or f"semantik@{socket.gethostname()}"
    message = EmailMessage()
    message["From"] = sender
    message["To"] = address
    message["Subject"] = _one_line(f"{first.search_name}: {_count(len(found))}")[:_MAX_SUBJECT]
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = f"<{delivery_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Precedence"] = "bulk"
    parts = [f"Your saved search “{first.search_name}” has found:"]
    for each in found:
        alert = each.alert
        place = f", page {alert.page}" if alert.page is not None else ""
        link = f"\n{document_url(alert, public_url)}" if public_url else ""
        head = f"{alert.title or alert.name}{place} ({each.collection})"
        parts.append(f"{head}\n{shown_path(alert.path)}{link}\n\n{alert.text}")
    message.set_content("\n\n----\n\n".join(parts) + "\n")
    return message


def _count(number: int) -> str:
    return "a new passage" if number == 1 else f"{number} new passages"


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _refused(error: Exception) -> Outcome:
    code = getattr(error, "code", None)
    recipients = getattr(error, "recipients", None)  # of a mail that no address was taken for
    if recipients:
        code = getattr(recipients[0], "code", None)
    reason = " ".join(str(error).split())[:_SHOWN].rstrip(".")
    if code is None and isinstance(error, ConnectionError):
        return Outcome("retry", None, f"The mail server cannot be reached: {reason}.")
    permanent = isinstance(code, int) and code >= _PERMANENT
    return Outcome(
        "failed" if permanent else "retry",
        code if isinstance(code, int) and code > 0 else None,
        f"The mail server refuses it: {reason}.",
    )
