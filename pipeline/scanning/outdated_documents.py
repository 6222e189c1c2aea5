"""Documents that another version of the readers has read: they become due, though their files have not changed.

Runs on the loop.
"""

from __future__ import annotations

from pipeline.context.context import OperationContext
from pipeline.extraction.version import current_versions, reader_version
from pipeline.scanning.source_scan import SourceScan
from semantik.core.models import Document, Source


def is_outdated(context: OperationContext, source: Source) -> bool:
    """Whether another version of the readers has completed the source's last scan, and documents are reread."""
    return source.reader != reader_version() and context.deps.settings.documents.outdated != "keep"


async def mark_outdated(context: OperationContext, source: Source, scan: SourceScan) -> int:
    """Make the outdated documents of a scanned source due, and return their number.

    The documents are looked through once for each version of the readers, unless the scan could not see all files.
    Documents without their files are left as they are.
    """
    if not is_outdated(context, source):
        return 0
    documents, number = context.deps.store.documents, 0
    known = documents.of_source(context.generation, source.id)
    seen_containers: set[str] = set()  # a container comes before its parts
    async for page in known:
        if scan.new == scan.files:  # the first scan of a source, which may have a million
            break
        seen: list[Document] = []
        for one in page:
            if one.container_id in seen_containers if one.is_part else one.path in scan.seen:
                seen.append(one)
                if one.is_container:
                    seen_containers.add(one.id)
        outdated = [one for one in seen if _is_outdated(one)]
        if outdated:
            await context.mark_dirty()
            await documents.mark_changed(outdated, context.operation.id, context.fence)
            number += len(outdated)
    if number:
        context.warn(
            f"{source.path}: {number} documents were read by another version of Semantik, "
            "and are read again (documents.outdated)."
        )
    if scan.complete and not scan.unread:
        await context.deps.store.collections.update_source(source, {"reader": reader_version()})
    return number


def _is_outdated(document: Document) -> bool:
    was_read = document.status in ("indexed", "failed", "skipped") and document.due is None
    return was_read and not document.missing and document.reader not in current_versions()
