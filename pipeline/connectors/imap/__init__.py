"""Mailboxes on IMAP servers, with Python's own imaplib in threads."""

from pipeline.connectors.imap.kind import ImapKind

KIND = ImapKind()

__all__ = ["KIND"]
