"""The settings of the worker processes: how many, how much they may take, what they give up, whose turn it is.

Part of `Settings`; see `settings.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import voluptuous as vol

from semantik.config.fields import ANY, at_least, between, empty_or, one_of, reloadable, setting

_MIB = 1 << 20


@dataclass(frozen=True)
class PoolSettings:
    """The worker processes."""

    workers: int = setting(0, between(0, 1024), "Processes that extract and embed; 0 is one per core.")
    worker_memory_bytes: int = setting(
        2048 * _MIB, at_least(256 * _MIB), "Memory that a worker may allocate before it is killed."
    )
    worker_rest_bytes: int = setting(
        128 * _MIB,
        at_least(0),
        "Memory that a worker may keep after a task; with more it is replaced. 0 is any.",
    )
    niceness: int = setting(
        10, between(0, 19), "By how much other work goes before that of the batch workers; 0: by nothing."
    )
    batch_files: int = reloadable(
        128, between(1, 1000), "Files in one batch at most; 16 where they have more than 64 KiB together."
    )
    batch_bytes: int = reloadable(
        8 * _MIB, at_least(1), "Bytes of files in one batch; a larger file is a batch of its own."
    )
    isolation: str = setting(
        "auto",
        one_of("auto", "require", "off"),
        "Whether workers give up network and files: auto as far as the kernel can, require or not at all.",
    )
    fair_wait_s: float = reloadable(
        2.0,
        at_least(0.1),
        "A user of whom no task runs waits this long for others' tasks; then one runs beside them.",
    )
    idle_s: float = reloadable(
        300.0,
        at_least(0),
        "Seconds without work until the batch workers and their model are unloaded; 0 is never.",
    )
    scheduler: str = setting(
        "",
        empty_or(
            vol.Match(r"tls://[^/:@\s]+:\d{1,5}\Z"),
            "tls://host:port (without TLS, anybody who reaches the scheduler could run programs on all its workers)",
        ),
        "The scheduler of a Dask cluster whose workers read, recognise and embed; empty: local workers do.",
    )
    tls_ca_file: str = setting(
        "", ANY, "The certificate (PEM) of the authority that signs for this cluster, and for nothing else."
    )
    tls_certificate_file: str = setting(
        "", ANY, "The certificate (PEM) of this server or worker in the cluster."
    )
    tls_key_file: str = setting("", ANY, "The private key (PEM) of that certificate.")
