"""The same, without async. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from semantik.client.sync_calls.accounts import AccountsSyncCalls
from semantik.client.sync_calls.alerts import AlertsSyncCalls
from semantik.client.sync_calls.api_keys import ApiKeysSyncCalls
from semantik.client.sync_calls.assistants import AssistantsSyncCalls
from semantik.client.sync_calls.audit import AuditSyncCalls
from semantik.client.sync_calls.collections import CollectionsSyncCalls
from semantik.client.sync_calls.documents import DocumentsSyncCalls
from semantik.client.sync_calls.groups import GroupsSyncCalls
from semantik.client.sync_calls.operations import OperationsSyncCalls
from semantik.client.sync_calls.search import SearchSyncCalls
from semantik.client.sync_calls.server import ServerSyncCalls
from semantik.client.sync_calls.sharing import SharingSyncCalls
from semantik.client.sync_calls.sources import SourcesSyncCalls
from semantik.client.sync_calls.uploads import UploadsSyncCalls
from semantik.client.sync_calls.users import UsersSyncCalls
from semantik.client.sync_calls.webhooks import WebhooksSyncCalls


class SyncCalls(
    AccountsSyncCalls,
    ApiKeysSyncCalls,
    AuditSyncCalls,
    UsersSyncCalls,
    GroupsSyncCalls,
    SharingSyncCalls,
    CollectionsSyncCalls,
    SourcesSyncCalls,
    UploadsSyncCalls,
    DocumentsSyncCalls,
    OperationsSyncCalls,
    SearchSyncCalls,
    AlertsSyncCalls,
    WebhooksSyncCalls,
    AssistantsSyncCalls,
    ServerSyncCalls,
):
    """The same, without async."""
