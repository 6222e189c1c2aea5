"""Every format that is read has a type under which it is searched for."""

from pipeline.extraction.format_reader import READERS
from semantik.core.document_types import DOCUMENT_TYPES


def test_every_mime_type_belongs_to_a_type() -> None:
    known = {mime for each in DOCUMENT_TYPES.values() for mime in each.mimes}
    kinds = tuple(mime for mime in known if mime.endswith("/"))
    assert [mime for mime in READERS if mime not in known and not mime.startswith(kinds)] == []
