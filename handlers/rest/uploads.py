"""`/api/v2/collections/{id}/uploads…`: files that are sent to a collection, in one request each or resumable (tus)."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any, ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import one_of, text
from handlers.pagination import PAGE, page_json
from handlers.rest import tus
from handlers.rest.multipart_files import FileBegins, FileData, MultipartFiles
from handlers.rest.upload_body import UploadBodyHandler
from handlers.serializers import timestamp_json
from semantik.core.errors import Invalid, SemantikError, TooLarge
from semantik.core.models import Collection, Upload
from semantik.services.uploads import NewUpload

_LIST = vol.Schema(PAGE)
_SEND = vol.Schema({vol.Optional("name"): text(1, 1000), vol.Optional("replace"): one_of("true")})


def upload_json(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "collection_id": upload.collection_id,
        "name": upload.name,
        "size": upload.size,
        "state": upload.state,
        "content_hash": upload.content or None,
        "operation_id": upload.operation_id,
        "created_at": timestamp_json(upload.created_at),
    }


class _TusHandler(RestHandler):
    """Tells clients of tus what the server understands."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header(tus.HEADER, tus.VERSION)

    async def options(self, *_: str) -> None:
        self.set_header("Tus-Version", tus.VERSION)
        self.set_header("Tus-Extension", tus.EXTENSIONS)
        self.set_header("Tus-Max-Size", self.services.settings.uploads.max_file_bytes)
        self.set_status(HTTPStatus.NO_CONTENT)

    def set_offset(self, upload: Upload, offset: int) -> None:
        self.set_header("Upload-Offset", offset)
        if upload.state == "receiving":
            kept = timedelta(seconds=self.services.settings.uploads.expire_s)
            self.set_header("Upload-Expires", tus.expires(upload.changed_at + kept))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        if status_code == HTTPStatus.PRECONDITION_FAILED:
            self.set_header("Tus-Version", tus.VERSION)
        super().write_error(status_code, **kwargs)


class UploadsHandler(_TusHandler, UploadBodyHandler):
    """A POST has one file as its body and `name` in the query, several as multipart/form-data, or begins one (tus)."""

    audit: ClassVar = {"POST": "upload.create"}
    _collection: Collection
    _begun: Upload | None = None
    _multipart: MultipartFiles | None = None

    async def get(self, collection_id: str) -> None:
        query = self.query(_LIST)
        page = await self.services.uploads.page(
            self.principal, collection_id, query.get("cursor"), query["limit"]
        )
        self.reply(page_json(page, upload_json))

    async def prepare_body(self, *path: str) -> None:
        uploads, headers = self.services.uploads, self.request.headers
        self._collection = await uploads.collection(self.principal, path[0])
        query = self._query = self.query(_SEND)
        self._stored: list[dict[str, Any]] = []
        self._refused: list[tuple[str, SemantikError]] = []
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if tus.HEADER in headers:
            await self._begin(kind)
        elif kind == "multipart/form-data":
            self._multipart = MultipartFiles(headers["Content-Type"])
        elif "name" in query:
            length = headers.get("Content-Length", "")
            self.receiver = await uploads.receive_new(
                self.principal,
                self._collection,
                NewUpload(query["name"], int(length) if length.isdecimal() else 0, None, "replace" in query),
            )
        else:
            raise Invalid(
                "Send files as multipart/form-data, or the bytes of one file with its name in the query (?name=…)."
            )

    async def _begin(self, kind: str) -> None:
        tus.check_version(self.request.headers)
        uploads, new = self.services.uploads, tus.new_upload(self.request.headers, "replace" in self._query)
        self._begun = await uploads.begin(self.principal, self._collection, new)
        if kind == tus.BODY_TYPE and self._begun.state == "receiving":
            self.receiver = await uploads.receive(self.principal, self._collection.id, self._begun.id, 0)

    async def take(self, data: bytes) -> None:
        if self._multipart is None:
            await super().take(data)
            return
        for event in self._multipart.feed(data):
            if isinstance(event, FileBegins):
                await self._file_begins(event.name)
            elif self.receiver is None:
                continue  # it was refused
            elif isinstance(event, FileData):
                await self._file_continues(event.data)
            else:
                await self._file_ends()

    async def _file_begins(self, name: str) -> None:
        self._number_of_files = getattr(self, "_number_of_files", 0) + 1
        limit = self.services.settings.uploads.max_files
        if self._number_of_files > limit:
            raise Invalid(f"One request may have {limit} files (uploads.max_files).")
        try:
            self.receiver = await self.services.uploads.receive_new(
                self.principal, self._collection, NewUpload(name, replace="replace" in self._query)
            )
        except (Invalid, TooLarge) as error:
            self._refused.append((name, error))

    async def _file_continues(self, data: bytes) -> None:
        assert self.receiver is not None
        try:
            await self.receiver.write(data)
        except TooLarge as error:
            receiver, self.receiver = self.receiver, None
            self._refused.append((receiver.upload.name, error))
            await self.services.uploads.abandon(receiver)

    async def _file_ends(self) -> None:
        assert self.receiver is not None
        receiver, self.receiver = self.receiver, None
        try:
            upload, duplicate = await self.services.uploads.finish(receiver)
        except TooLarge as error:
            self._refused.append((receiver.upload.name, error))
        else:
            self._stored.append({**upload_json(upload), "duplicate": duplicate})

    async def post(self, collection_id: str) -> None:
        if self._over:
            return
        if self._begun is not None:
            await self._reply_begun(collection_id, self._begun)
            return
        if self._multipart is not None and not self._multipart.is_complete:
            raise Invalid("The body ends before its last boundary.")
        if self.receiver is not None:
            await self._file_ends()
        if not self._stored:
            raise self._refused[0][1] if self._refused else Invalid("The body has no file.")
        self.note_audit({"files": len(self._stored), "name": self._stored[0]["name"]})
        refused = [{"name": name[:1000], "detail": str(error)} for name, error in self._refused]
        self.reply({"items": self._stored, "refused": refused}, HTTPStatus.CREATED)

    async def _reply_begun(self, collection_id: str, upload: Upload) -> None:
        offset = upload.size if upload.state == "stored" else 0
        if self.receiver is not None:
            receiver, self.receiver = self.receiver, None
            upload, offset = await self.services.uploads.end_part(receiver), receiver.received
        self.note_audit({"name": upload.name})
        self.set_header("Location", f"/api/v2/collections/{collection_id}/uploads/{upload.id}")
        self.set_offset(upload, offset)
        self.set_status(HTTPStatus.CREATED)


class UploadHandler(_TusHandler, UploadBodyHandler):
    """A HEAD says how much of an upload has come, a PATCH sends more of it (tus)."""

    audit: ClassVar = {"PATCH": "upload.send", "DELETE": "upload.remove"}

    async def get(self, collection_id: str, upload_id: str) -> None:
        upload = await self.services.uploads.get(self.principal, collection_id, upload_id)
        document = await self.services.uploads.document(upload)
        found = None if document is None else {"id": document.id, "status": document.status}
        self.reply({**upload_json(upload), "document": found})

    async def head(self, collection_id: str, upload_id: str) -> None:
        await self.services.authorizer.collection(self.principal, collection_id)
        tus.check_version(self.request.headers)
        upload, received = await self.services.uploads.received(self.principal, collection_id, upload_id)
        self.set_offset(upload, received)
        self.set_header("Upload-Length", upload.size)
        self.set_status(HTTPStatus.OK)

    async def prepare_body(self, *path: str) -> None:
        await self.services.uploads.collection(self.principal, path[0])
        tus.check_version(self.request.headers)
        tus.check_body_type(self.request.headers)
        offset = tus.whole_number(self.request.headers, "Upload-Offset")
        self.receiver = await self.services.uploads.receive(self.principal, path[0], path[1], offset)

    async def patch(self, collection_id: str, upload_id: str) -> None:
        if self._over or self.receiver is None:
            return
        receiver, self.receiver = self.receiver, None
        upload = await self.services.uploads.end_part(receiver)
        self.note_audit({"name": upload.name})
        self.set_offset(upload, receiver.received)
        self.set_status(HTTPStatus.NO_CONTENT)

    async def delete(self, collection_id: str, upload_id: str) -> None:
        await self.services.uploads.remove(self.principal, collection_id, upload_id)
        self.set_status(HTTPStatus.NO_CONTENT)
