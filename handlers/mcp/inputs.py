"""What each tool takes, as voluptuous schemas: their errors are sentences from which an assistant can tell what to
change. `schemas.py` says the same in JSON Schema."""

from __future__ import annotations

import voluptuous as vol

from handlers.fields import integer, list_of, one_of, optional, text
from handlers.rest.search import FILTERS
from semantik.config.assistant_settings import MAX_ANSWER_BYTES, MIN_ANSWER_BYTES
from semantik.core.models import OPERATION_STATUSES
from semantik.search.query import GROUPINGS, MODES

_MAX_BYTES = optional(integer(MIN_ANSWER_BYTES, MAX_ANSWER_BYTES))
_SEQ = integer(0, 10**15)
_ID = text(1, 100)
_GROUP_BY = one_of(*GROUPINGS)

INPUTS = {
    "search": vol.Schema(
        {
            vol.Required("query"): text(),
            vol.Optional("collection_ids"): optional(list_of(_ID, 1000, "collections' ids")),
            vol.Optional("mode", default="hybrid"): one_of(*MODES),
            vol.Optional("group_by", default="chunk"): _GROUP_BY,
            vol.Optional("per_document"): optional(integer(1, 10)),
            vol.Optional("filters", default=dict): FILTERS,
            vol.Optional("limit", default=10): integer(1, 50),
            vol.Optional("offset", default=0): integer(0, 100_000),
            vol.Optional("max_bytes"): _MAX_BYTES,
        }
    ),
    "read": vol.Schema(
        {
            vol.Required("collection_id"): _ID,
            vol.Required("document_id"): _ID,
            vol.Optional("around"): optional(_SEQ),
            vol.Optional("before", default=2): integer(0, 50),
            vol.Optional("after", default=2): integer(0, 50),
            vol.Optional("offset", default=0): integer(0, 10**12),
            vol.Optional("max_bytes"): _MAX_BYTES,
        }
    ),
    "similar": vol.Schema(
        {
            vol.Required("collection_id"): _ID,
            vol.Required("document_id"): _ID,
            vol.Required("seq"): _SEQ,
            vol.Optional("group_by", default="chunk"): _GROUP_BY,
            vol.Optional("limit", default=10): integer(1, 50),
            vol.Optional("offset", default=0): integer(0, 1000),
            vol.Optional("max_bytes"): _MAX_BYTES,
        }
    ),
    "collections": vol.Schema(
        {
            vol.Optional("cursor"): optional(text()),
            vol.Optional("limit", default=50): integer(1, 100),
            vol.Optional("max_bytes"): _MAX_BYTES,
        }
    ),
    "operations": vol.Schema(
        {
            vol.Optional("collection_id"): optional(_ID),
            vol.Optional("status"): optional(one_of(*OPERATION_STATUSES)),
            vol.Optional("cursor"): optional(text()),
            vol.Optional("limit", default=20): integer(1, 100),
            vol.Optional("max_bytes"): _MAX_BYTES,
        }
    ),
}
