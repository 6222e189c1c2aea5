"""The fields of the keyword index, and its documents. Runs in threads.

Texts come as words with spaces between them (`texts.py`), so that one analysis serves texts and queries.
"""

from __future__ import annotations

import tantivy

from semantik.index.keyword.texts import Fields

FORMAT = 4
"""Another number means another schema or analysis: an index of an earlier one is built again."""

SEQ = "seq"
BLOCK = "block"
"""The seq without its last bits: a filter of many ranges looks up blocks, and then compares seqs."""
BLOCK_BITS = 6
WORDS, STEMS, WHOLES, TITLES = "words", "stems", "wholes", "titles"
HEADINGS = "headings"
"""The last of a chunk's headings as one term (see `heading_term`), to list them; not searched for."""


def make_schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field(SEQ, indexed=True, fast=True)
    builder.add_unsigned_field(BLOCK, indexed=True)
    for name, option in ((WORDS, "position"), (STEMS, "freq"), (WHOLES, "freq"), (TITLES, "position")):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option=option)
    builder.add_text_field(HEADINGS, tokenizer_name="whitespace", index_option="basic")
    return builder.build()


SCHEMA = make_schema()


def make_document(seq: int, fields: Fields) -> tantivy.Document:
    """A document with its fields by `add_…`: tantivy accepts an int by keyword as another type, and then fails."""
    document = tantivy.Document()
    document.add_unsigned(SEQ, seq)
    document.add_unsigned(BLOCK, seq >> BLOCK_BITS)
    for name, words in zip((WORDS, STEMS, WHOLES, TITLES, HEADINGS), fields, strict=True):
        if words:
            document.add_text(name, words)
    return document
