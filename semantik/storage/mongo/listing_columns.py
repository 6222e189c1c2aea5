"""What lists and statistics need of documents, as columns: a few dozen bytes for each. Pure.

Built from rows a page at a time, in the order of the paths.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semantik.core.document_types import type_name
from semantik.storage.mongo.table import Record

LISTED_FIELDS = dict.fromkeys(
    (
        *("path", "part", "status", "due", "size", "modified_ns", "chunk_count", "first_seq", "mime"),
        *("language", "warned", "failure", "missing", "source_id"),
    ),
    1,
)
_BYTES_PER_DOCUMENT = 150  # beside its path and the lower-case copies of it


@dataclass
class Coded:
    """A column of few different texts: the number of each document's text in `names`."""

    names: list[str] = field(default_factory=list)
    codes: array[int] = field(default_factory=lambda: array("i"))
    _known: dict[str, int] = field(default_factory=dict)

    def add(self, name: str) -> None:
        code = self._known.get(name)
        if code is None:
            code = self._known[name] = len(self.names)
            self.names.append(name)
        self.codes.append(code)

    @cached_property
    def values(self) -> NDArray[np.int32]:
        return np.frombuffer(self.codes, np.int32) if self.codes else np.empty(0, np.int32)

    def code(self, name: str) -> int:
        """The number of a text, or -1 where no document has it."""
        return self._known.get(name, -1)


@dataclass
class ListingColumns:
    """n documents in the order of their paths; texts that a document does not have are empty.

    `due` are to be read, `warned` have warnings; `parts` has the names of those inside other documents, by number.
    """

    ids: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    parts: dict[int, str] = field(default_factory=dict)
    statuses: Coded = field(default_factory=Coded)
    types: Coded = field(default_factory=Coded)
    languages: Coded = field(default_factory=Coded)
    reasons: Coded = field(default_factory=Coded)
    sources: Coded = field(default_factory=Coded)
    due: array[int] = field(default_factory=lambda: array("b"))
    warned: array[int] = field(default_factory=lambda: array("b"))
    missing: array[int] = field(default_factory=lambda: array("b"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    modified_ns: array[int] = field(default_factory=lambda: array("q"))
    chunks: array[int] = field(default_factory=lambda: array("q"))
    first_seqs: array[int] = field(default_factory=lambda: array("q"))
    bytes: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, rows: Sequence[Record]) -> None:
        """Add documents after these, before anything is read of them; those that are being removed are left out."""
        for row in rows:
            if row["status"] == "removing":
                continue
            path, mime, failure = row["path"], row.get("mime") or "", row.get("failure")
            if row.get("part"):
                self.parts[len(self.ids)] = row["part"]
            self.ids.append(row["_id"])
            self.paths.append(path)
            self.statuses.add(row["status"])
            self.types.add(type_name(mime, path))
            self.languages.add(row.get("language") or "")
            self.reasons.add(failure["category"] if failure else "")
            self.sources.add(row["source_id"])
            self.due.append(row.get("due") is not None)
            self.warned.append(bool(row.get("warned")))
            self.missing.append(bool(row.get("missing")))
            self.sizes.append(row["size"])
            self.modified_ns.append(row["modified_ns"])
            self.chunks.append(row["chunk_count"])
            self.first_seqs.append(row["first_seq"])
            self.bytes += _BYTES_PER_DOCUMENT + 3 * len(path)

    def integers(self, name: str) -> NDArray[np.int64]:
        """One of the columns of numbers, int64 (n,)."""
        column = getattr(self, name)
        return np.array(column, np.int64)

    @cached_property
    def path_keys(self) -> list[str]:
        """The paths, case aside."""
        return [path.casefold() for path in self.paths]

    @cached_property
    def name_keys(self) -> list[str]:
        """The names of the files, case aside; of parts with the name of what holds them."""
        keys = [key[key.rfind("/") + 1 :] for key in self.path_keys]
        for number, part in self.parts.items():
            holder = self.path_keys[number].removesuffix(part.casefold())
            keys[number] = f"{holder.rstrip('#./').rpartition('/')[2]}#{part.casefold()}"
        return keys
