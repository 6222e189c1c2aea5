"""Opens the original file of a document for who asks for it, with the checks of files that are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.extraction.content import ExtractError
from pipeline.extraction.file_access import Places
from pipeline.workers.file_opener import FilesToOpen, open_files
from semantik.config.settings import Settings
from semantik.core.errors import NotFound, Unavailable
from semantik.core.kept_files import kept_folder
from semantik.core.models import Source
from semantik.core.upload_paths import uploads_folder


async def open_original(
    current: Callable[[], Settings], path: str, roots: Sequence[str], source: Source
) -> int:
    """The descriptor of a file below one of the roots. Raises NotFound, Unavailable."""
    settings = current()
    kept = "" if source.is_folder else str(kept_folder(settings.data, source.id))
    forbidden = tuple(str(each) for each in settings.private_paths)
    places = Places(tuple(roots), forbidden, kept, str(uploads_folder(settings.data)))
    try:
        files = await open_files(FilesToOpen({path: places}, settings.documents.file_timeout_s))
    except TimeoutError as error:
        raise Unavailable("The disk with the document does not answer.", 30) from error
    [result] = files.results
    if isinstance(result, ExtractError):
        raise NotFound(result.message)
    return result
