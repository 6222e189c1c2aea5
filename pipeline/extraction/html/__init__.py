"""HTML as Markdown: what a person sees of a page. Knows no files; runs in the worker processes."""

from pipeline.extraction.html.page import LIBRARIES, HtmlText, html_to_markdown

__all__ = ["LIBRARIES", "HtmlText", "html_to_markdown"]
