"""The JSON schemas that the tools' inputs and answers are made of. Pure data."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "integer"}
OR_NULL: Json = {"type": ["string", "null"]}
NUMBER_OR_NULL: Json = {"type": ["integer", "null"]}
ID: Json = {"type": "string", "minLength": 1, "maxLength": 100}
MAX_BYTES: Json = {
    "type": ["integer", "null"],
    "minimum": 10_000,
    "maximum": 1_000_000,
    "description": "Bytes that the answer may have; the rest is on the next page.",
}
FILTER_TEXTS: Json = {
    "type": "array",
    "maxItems": 100,
    "items": {"type": "string", "minLength": 1, "maxLength": 1000},
}
MOMENT: Json = {"type": ["string", "null"], "description": "A date or time in ISO 8601."}
DAY: Json = {"type": ["string", "null"], "description": "A day, month or year, as 2026-01."}
GROUP_BY: Json = {
    "type": "string",
    "enum": ["chunk", "document"],
    "default": "chunk",
    "description": "document: each document once, with its best passages.",
}


def offset(maximum: int) -> Json:
    return {
        "type": "integer",
        "minimum": 0,
        "maximum": maximum,
        "default": 0,
        "description": "next_offset of the page before.",
    }


def limit(maximum: int, default: int) -> Json:
    return {"type": "integer", "minimum": 1, "maximum": maximum, "default": default}


def input(required: list[str], **properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def object(**properties: Json) -> Json:
    """All of the properties are there."""
    return input(list(properties), **properties)


FILTERS: Json = {
    "type": "object",
    "default": {},
    "additionalProperties": False,
    "properties": {
        "path_glob": {"type": ["string", "null"], "minLength": 1, "maxLength": 1000},
        "extensions": {
            "type": "array",
            "maxItems": 100,
            "items": {"type": "string", "minLength": 1, "maxLength": 50},
            "description": "Endings of file names, as .pdf.",
        },
        "modified_after": MOMENT,
        "modified_before": MOMENT,
        "titles": {**FILTER_TEXTS, "description": "One of these is in the title or the file's name."},
        "paths": {**FILTER_TEXTS, "description": "One of these is in the path."},
        "types": {
            "type": "array",
            "maxItems": 100,
            "items": TEXT,
            "description": "pdf, word, sheet, mail, .txt, image/* and so on.",
        },
        "languages": {
            "type": "array",
            "maxItems": 100,
            "items": TEXT,
        },
        "authors": {**FILTER_TEXTS, "description": "One of these is in the author's name."},
        "tags": {**FILTER_TEXTS, "description": "The document has one of these tags."},
        "after": DAY,
        "before": DAY,
        "recognised": {
            "type": ["boolean", "null"],
            "description": "true: only documents with text recognised in pictures; false: those without.",
        },
    },
}

PASSAGE_FIELDS: dict[str, Json] = {
    "seq": {**NUMBER, "description": "The number of the passage, for read and similar."},
    "start": {**NUMBER, "description": "Where it begins in the document's text, in characters."},
    "end": NUMBER,
    "continues_at": {
        **NUMBER_OR_NULL,
        "description": "Where the passage goes on if it was too long for the answer: read with this offset.",
    },
    "page": NUMBER_OR_NULL,
    "recognised": {"type": "boolean", "description": "The text was recognised in an image; expect errors."},
}
PASSAGE = object(**PASSAGE_FIELDS, untrusted=object(text=TEXT, heading=OR_NULL, page_label=OR_NULL))
NAMES: dict[str, Json] = {
    "title": OR_NULL,
    "name": TEXT,
    "path": TEXT,
    "author": OR_NULL,
    "date": OR_NULL,
}
RELEVANCE: Json = {
    "type": ["string", "null"],
    "enum": ["strong", "fair", "weak", None],
    "description": "weak: no better than chance.",
}
PLACE = object(collection_id=TEXT, document_id=TEXT, seq=NUMBER)
HIT = object(
    collection_id=TEXT,
    document_id=TEXT,
    resource={**TEXT, "description": "The document's text as a resource."},
    **PASSAGE_FIELDS,
    relevance=RELEVANCE,
    score={"type": "number"},
    mime=OR_NULL,
    language=OR_NULL,
    more={
        "type": "array",
        "items": PASSAGE,
        "description": "Further passages of the document, if grouped by document.",
    },
    copies={"type": "array", "items": PLACE, "description": "The same text elsewhere: the first few places."},
    copy_count=NUMBER,
    untrusted=object(text=TEXT, heading=OR_NULL, page_label=OR_NULL, **NAMES),
)
NOTICE: Json = {**TEXT, "description": "How to treat what stands below untrusted."}
NEXT_OFFSET: Json = {**NUMBER_OR_NULL, "description": "The offset of the next page; null: there is none."}
NEXT_CURSOR: Json = {**OR_NULL, "description": "The cursor of the next page; null: there is none."}
HITS = object(
    notice=NOTICE,
    hits={"type": "array", "items": HIT},
    next_offset=NEXT_OFFSET,
    mode={"type": "string", "enum": ["hybrid", "meaning", "words"]},
    degraded={**OR_NULL, "description": "Why the search was not done as it was asked for."},
    relevance=RELEVANCE,
    corrections={
        "type": "array",
        "items": object(**{"from": TEXT, "to": TEXT}),
        "description": "Words that no document has, and what was searched for instead.",
    },
)
DOCUMENT = object(
    collection_id=TEXT,
    document_id=TEXT,
    resource=TEXT,
    status=TEXT,
    length={**NUMBER, "description": "Characters of the whole text."},
    pages=NUMBER_OR_NULL,
    chunk_count=NUMBER,
    mime=OR_NULL,
    language=OR_NULL,
    untrusted=object(**NAMES),
)
COLLECTION = object(
    collection_id=TEXT,
    status=TEXT,
    document_count=NUMBER,
    chunk_count=NUMBER,
    pending_count=NUMBER,
    failed_count=NUMBER,
    access={"type": "string", "enum": ["read", "write", "manage", "own"]},
    public={"type": "boolean"},
    active_operation_id=OR_NULL,
    updated_at=OR_NULL,
    description_length={**NUMBER, "description": "Characters of the whole description."},
    untrusted=object(name=TEXT, owner=TEXT, description=TEXT),
)
OPERATION = object(
    operation_id=TEXT,
    collection_id=TEXT,
    type=TEXT,
    status=TEXT,
    stage=OR_NULL,
    processed_files=NUMBER,
    failed_files=NUMBER,
    skipped_files=NUMBER,
    total_files=NUMBER_OR_NULL,
    progress_percent={"type": ["number", "null"]},
    eta_seconds={"type": ["number", "null"]},
    queue_position=NUMBER_OR_NULL,
    created_at=OR_NULL,
    started_at=OR_NULL,
    completed_at=OR_NULL,
    warning_count=NUMBER,
    untrusted=object(current_file=OR_NULL, error_message=OR_NULL),
)
