"""The settings of the search engine Milvus, which holds vectors that one machine cannot hold.

Part of `Settings`; see `settings.py`. They count where `index.engine` is milvus.
"""

from __future__ import annotations

from dataclasses import dataclass

import voluptuous as vol

from semantik.config.fields import ANY, at_least, between, empty_or, one_of, setting


@dataclass(frozen=True)
class MilvusSettings:
    """The connection to Milvus, and how it keeps the vectors of a collection."""

    url: str = setting(
        "",
        empty_or(
            vol.Match(r"https?://[^/@\s]+\Z"),
            "http://host:port, or https://host:port with TLS, without a path",
        ),
        "The address of Milvus; needed where index.engine is milvus.",
    )
    token: str = setting("", ANY, "user:password, or an API key; empty: Milvus asks for none.")
    database: str = setting("", ANY, "The database of Milvus; empty: its default one.")
    prefix: str = setting(
        "semantik",
        vol.Match(r"[A-Za-z][A-Za-z0-9_]{0,39}\Z", msg="a letter, then at most 39 letters, digits or _"),
        "What the names of its collections begin with; one for each installation that shares a database.",
    )
    ca_file: str = setting(
        "", ANY, "The certificate (PEM) of the authority of Milvus; empty: those of the system."
    )
    certificate_file: str = setting(
        "", ANY, "The certificate (PEM) by which Milvus knows this server; empty: it asks for none."
    )
    key_file: str = setting("", ANY, "The private key (PEM) of that certificate.")
    server_name: str = setting(
        "", ANY, "The name in Milvus's certificate, where it is not that of the address."
    )
    timeout_s: float = setting(10.0, between(1, 600), "What Milvus does not answer in this time failed.")
    index_type: str = setting(
        "HNSW",
        one_of("HNSW", "FLAT", "DISKANN", "AUTOINDEX"),
        "The index that Milvus builds; FLAT compares all vectors. It applies to generations made later.",
    )
    search_effort: int = setting(
        128,
        between(16, 16_384),
        "Vectors that HNSW and DISKANN visit in a search at least: more find better.",
    )
    shards: int = setting(1, between(1, 64), "Shards of each collection in Milvus; for those made later.")
    replicas: int = setting(1, between(1, 64), "Copies in memory of each collection; for those loaded later.")
    catch_up: int = setting(
        2000,
        at_least(0),
        "With more chunks missing in Milvus, searches use the local index until it has them.",
    )
