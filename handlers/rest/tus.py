"""The headers of tus 1.0 (tus.io), the protocol of resumable uploads. Pure.

Supported are the core protocol and the extensions that `EXTENSIONS` lists.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus

from tornado.web import HTTPError

from semantik.core.errors import Invalid
from semantik.services.uploads import NewUpload

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination"
BODY_TYPE = "application/offset+octet-stream"
HEADER = "Tus-Resumable"
_MAX_DIGITS = 15


def check_version(headers: Mapping[str, str]) -> None:
    """Raises HTTPError 412 for a client of another version, or of another protocol."""
    if headers.get(HEADER) != VERSION:
        raise HTTPError(
            HTTPStatus.PRECONDITION_FAILED, f"The header {HEADER} must be {VERSION}: this is tus {VERSION}."
        )


def check_body_type(headers: Mapping[str, str]) -> None:
    """Raises HTTPError 415 for a body that is not said to be a piece of a file."""
    if headers.get("Content-Type") != BODY_TYPE:
        raise HTTPError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The Content-Type must be {BODY_TYPE}.")


def whole_number(headers: Mapping[str, str], name: str) -> int:
    """The value of a header. Raises Invalid unless it is a whole number."""
    value = headers.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS):
        raise Invalid(f"The header {name} must be a whole number of at most {_MAX_DIGITS} digits.")
    return int(value)


def new_upload(headers: Mapping[str, str], replace: bool) -> NewUpload:
    """The upload that a client wants to begin. Raises Invalid."""
    if "Upload-Defer-Length" in headers:
        raise Invalid("Say the Upload-Length at the beginning: it cannot be deferred.")
    metadata = _metadata(headers.get("Upload-Metadata", ""))
    name = metadata.get("filename") or metadata.get("name") or ""
    modified = metadata.get("lastModified", "")
    known = modified.isascii() and modified.isdigit() and len(modified) <= _MAX_DIGITS - 1
    return NewUpload(
        name, whole_number(headers, "Upload-Length"), int(modified) * 1_000_000 if known else None, replace
    )


def expires(moment: datetime) -> str:
    """A time as in `Upload-Expires`."""
    return format_datetime(moment, usegmt=True)


def _metadata(header: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in header.split(","):
        key, _, value = pair.strip().partition(" ")
        if not key:
            continue
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise Invalid(f"The value of {key[:100]} in Upload-Metadata is no UTF-8 in base64.") from error
    return found
