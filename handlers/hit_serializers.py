"""What a search found, as JSON. Pure."""

from __future__ import annotations

from handlers.serializers import Json, modified_json
from semantik.core.models import Chunk, Document
from semantik.search.hits import Copy, Hit
from semantik.search.suggestions import Suggestion


def hit_json(hit: Hit) -> Json:
    scores = hit.scores
    return {
        "score": scores.meaning,
        "scores": {
            "meaning": scores.meaning,
            "words": scores.words,
            "fused": scores.fused,
            "rerank": scores.rerank,
        },
        "relevance": hit.relevance,
        "passage": hit.chunk.text,
        "highlights": hit.highlights,
        "best_sentence": hit.best_sentence,
        "matched": hit.matched,
        **_place_json(hit.chunk),
        "document": _hit_document_json(hit.document),
        "collection": {"id": hit.collection.id, "name": hit.collection.name},
        "also_in": [_copy_json(each) for each in hit.also_in],
        "more": [hit_json(each) for each in hit.more],
    }


def _copy_json(copy: Copy) -> Json:
    return {
        **_place_json(copy.chunk),
        "document": _hit_document_json(copy.document),
        "collection": {"id": copy.collection.id, "name": copy.collection.name},
    }


def _place_json(chunk: Chunk) -> Json:
    return {
        "seq": chunk.seq,
        "start": chunk.start,
        "end": chunk.end,
        "page": chunk.page,
        "page_label": chunk.page_label,
        "heading": chunk.heading,
        "recognised": chunk.recognised,
    }


def _hit_document_json(document: Document) -> Json:
    metadata = document.metadata
    return {
        "id": document.id,
        "path": document.path,
        "name": document.name,
        "title": metadata.title,
        "mime": document.mime,
        "modified_at": modified_json(document),
        "author": document.author,
        "authors": list(metadata.authors),
        "date": metadata.date,
        "language": metadata.language,
        "tags": list(metadata.tags),
        "container_id": document.container_id,
        "part": document.part,
    }


def suggestion_json(suggestion: Suggestion) -> Json:
    document = suggestion.document
    return {
        "text": suggestion.text,
        "kind": suggestion.kind,
        "document_id": document and document.id,
        "collection_id": document and document.collection_id,
    }
