"""The settings of what runs in the background: operations, reindexing, watched folders and scans.

Part of `Settings`; see `settings.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from semantik.config.fields import at_least, between, reloadable, setting


@dataclass(frozen=True)
class OperationSettings:
    """How operations run, and how long their records are kept."""

    concurrent: int = reloadable(2, between(1, 100), "Operations that run at the same time in this server.")
    for_others: int = reloadable(
        2, between(0, 100), "Further ones at the same time, of users of whom no other operation runs."
    )
    lease_s: float = reloadable(
        15.0, at_least(2), "An operation whose server is silent this long is taken over by another."
    )
    unreadable_wait_s: float = reloadable(
        600.0,
        at_least(0),
        "Where several servers share a MongoDB: how long an operation waits for one that has its folder and model.",
    )
    exports: int = reloadable(
        8,
        between(1, 1000),
        "Exports of collections at the same time in this server; further ones are refused.",
    )
    keep_s: int = setting(
        30 * 86_400, at_least(60), "How long semantik-cleanup keeps the records of ended operations."
    )


@dataclass(frozen=True)
class ReindexSettings:
    """How a REINDEX replaces a collection's chunks."""

    grace_s: float = reloadable(
        60.0, at_least(0), "How long the old chunks stay after a REINDEX, for searches in progress."
    )
    sample: int = reloadable(20, between(0, 1000), "Chunks that a new index must find before it is searched.")


@dataclass(frozen=True)
class WatchSettings:
    """How soon and how often watched folders are scanned."""

    debounce_s: float = reloadable(
        2.0, between(0.1, 60), "A scan waits for this long without a change, but five times that at most."
    )
    pause_s: float = reloadable(
        10.0, between(1, 3600), "Shortest time between two scans; at least five times what the last took."
    )
    poll_s: float = reloadable(
        60.0, at_least(1), "How often a folder is scanned if it cannot be watched, or its last scan failed."
    )


@dataclass(frozen=True)
class ScanSettings:
    """The scans of folders that users watch live."""

    concurrent: int = setting(4, between(1, 100), "Scans at the same time in this server; others wait.")
    wait_s: float = reloadable(30.0, at_least(0.1), "A scan that waits longer to start is refused.")
    max_files: int = reloadable(
        10_000, between(1, 20_000), "Files that a scan's result lists at most; all are counted."
    )
