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
from semantik.core.models.alert import Alert, SavedSearch
from semantik.core.models.audit import AUDIT_OUTCOMES, AuditEvent, AuditFilter, AuditOutcome
from semantik.core.models.chunk import Chunk, VectorBlock
from semantik.core.models.clock import now, rfc3339
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
    FAILURE_CATEGORIES,
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
from semantik.core.models.webhook import (
    MAIL,
    OPERATION_EVENTS,
    Delivery,
    DeliveryState,
    OperationEvent,
    Webhook,
    delivery_id,
)

__all__ = [
    "ACCESS_LEVELS",
    "ACTIVE",
    "API_KEY_SCOPES",
    "AUDIT_OUTCOMES",
    "DOCUMENT_STATUSES",
    "FAILURE_CATEGORIES",
    "FOLDER",
    "MAIL",
    "OPERATION_EVENTS",
    "OPERATION_STATUSES",
    "OPERATION_TYPES",
    "TERMINAL",
    "Access",
    "Alert",
    "ApiKey",
    "ApiKeyScope",
    "AuditEvent",
    "AuditFilter",
    "AuditOutcome",
    "Chunk",
    "Collection",
    "CollectionStatus",
    "Counts",
    "Delivery",
    "DeliveryState",
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
    "OperationEvent",
    "OperationStatus",
    "OperationType",
    "PathMetadata",
    "Quality",
    "RecognisedPage",
    "SavedSearch",
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
    "Webhook",
    "delivery_id",
    "new_id",
    "now",
    "part_path",
    "queue_position",
    "rfc3339",
]
