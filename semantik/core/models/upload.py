"""Uploaded files. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from semantik.core.upload_paths import upload_path

UploadState = Literal[
    "receiving",  # its bytes are still to come; it can be resumed
    "storing",  # all bytes have come, and `content` is known; a crash may have left it so
    "stored",  # a document of its collection, or about to become one
    "removing",  # removed by somebody; an operation is still to remove its document
]


@dataclass(frozen=True)
class Upload:
    """A file that a user has sent to a collection, or is sending: `size` are its bytes when it is complete.

    `server` is the instance that receives it. `content` is the SHA-256 of the bytes, empty before they have come.
    `operation_id` is the operation that was queued to index it. `replace`: earlier uploads of that name go with it.
    """

    id: str
    collection_id: str
    user_id: str
    name: str
    size: int
    state: UploadState
    created_at: datetime
    changed_at: datetime
    server: str
    content: str = ""
    modified_ns: int = 0
    operation_id: str | None = None
    replace: bool = False

    @property
    def path(self) -> str:
        """The path of its document."""
        return upload_path(self.collection_id, self.content, self.name)
