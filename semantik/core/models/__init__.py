"""The records that Semantik keeps, as frozen dataclasses: what one package hands to another.

Identifiers are UUID texts, times are aware and in UTC, sizes are bytes, offsets count characters. Pure: knows neither
MongoDB nor JSON.
"""

from semantik.core.models.account import (
    API_KEY_SCOPES,
    ApiKey,
    ApiKeyScope,
    Group,
    Identity,
    SecondFactor,
    Session,
    SigningKey,
    SignInPlace,
    User,
)
from semantik.core.models.audit import AUDIT_OUTCOMES, AuditEvent, AuditFilter, AuditOutcome
from semantik.core.models.chunk import Chunk, VectorBlock
from semantik.core.models.clock import now
from semantik.core.models.collection import (
    ACCESS_LEVELS,
    FOLDER,
    Access,
    Collection,
    CollectionStatus,
    Counts,
    Generation,
    Share,
    ShareKind,
    Source,
)
from semantik.core.models.document import (
    DOCUMENT_STATUSES,
    Document,
    DocumentStatus,
    Failure,
    FailureCategory,
    FileFailure,
    Metadata,
    PathMetadata,
    part_path,
)
from semantik.core.models.filters import Filters
from semantik.core.models.identifiers import new_id
from semantik.core.models.operation import (
    ACTIVE,
    OPERATION_STATUSES,
    OPERATION_TYPES,
    TERMINAL,
    Lease,
    Operation,
    OperationStatus,
    OperationType,
    Stage,
    StageName,
    TerminalStatus,
    queue_position,
)
from semantik.core.models.quality import Quality
from semantik.core.models.recognised_page import RecognisedPage
from semantik.core.models.upload import Upload, UploadState

__all__ = [
    "ACCESS_LEVELS",
    "ACTIVE",
    "API_KEY_SCOPES",
    "AUDIT_OUTCOMES",
    "DOCUMENT_STATUSES",
    "FOLDER",
    "OPERATION_STATUSES",
    "OPERATION_TYPES",
    "TERMINAL",
    "Access",
    "ApiKey",
    "ApiKeyScope",
    "AuditEvent",
    "AuditFilter",
    "AuditOutcome",
    "Chunk",
    "Collection",
    "CollectionStatus",
    "Counts",
    "Document",
    "DocumentStatus",
    "Failure",
    "FailureCategory",
    "FileFailure",
    "Filters",
    "Generation",
    "Group",
    "Identity",
    "Lease",
    "Metadata",
    "Operation",
    "OperationStatus",
    "OperationType",
    "PathMetadata",
    "Quality",
    "RecognisedPage",
    "SecondFactor",
    "Session",
    "Share",
    "ShareKind",
    "SignInPlace",
    "SigningKey",
    "Source",
    "Stage",
    "StageName",
    "TerminalStatus",
    "Upload",
    "UploadState",
    "User",
    "VectorBlock",
    "new_id",
    "now",
    "part_path",
    "queue_position",
]
