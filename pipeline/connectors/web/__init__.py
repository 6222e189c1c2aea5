"""Web sites: the pages of one host that a start page or a sitemap leads to."""

from pipeline.connectors.web.kind import WebKind

KIND = WebKind()

__all__ = ["KIND"]
