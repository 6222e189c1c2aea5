"""What may be chosen of operations and of automatic scans. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReindexOptions:
    """How a REINDEX splits and embeds; None leaves it as it is."""

    embedding_model: str | None = None
    precision: str | None = None
    chunk_size: int | None = None
    chunk_overlap: int | None = None


@dataclass(frozen=True)
class WatchOptions:
    """When a source is scanned automatically, on which servers, and what its scans pass over.

    Every `interval_s` seconds (0: never); `immediate`: at each change. `exclude` are the globs of what its scans pass
    over; with `include_excluded` they take the files again that were excluded one by one. `server` is the label of the
    servers that see it ("": any that can). None leaves it as it is.
    """

    interval_s: int | None = None
    immediate: bool | None = None
    exclude: tuple[str, ...] | None = None
    include_excluded: bool = False
    server: str | None = None
