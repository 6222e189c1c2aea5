"""The calls of the REST API. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from semantik.client.calls.accounts import AccountsCalls
from semantik.client.calls.alerts import AlertsCalls
from semantik.client.calls.api_keys import ApiKeysCalls
from semantik.client.calls.assistants import AssistantsCalls
from semantik.client.calls.audit import AuditCalls
from semantik.client.calls.collections import CollectionsCalls
from semantik.client.calls.documents import DocumentsCalls
from semantik.client.calls.groups import GroupsCalls
from semantik.client.calls.operations import OperationsCalls
from semantik.client.calls.search import SearchCalls
from semantik.client.calls.server import ServerCalls
from semantik.client.calls.sharing import SharingCalls
from semantik.client.calls.sources import SourcesCalls
from semantik.client.calls.uploads import UploadsCalls
from semantik.client.calls.users import UsersCalls
from semantik.client.calls.webhooks import WebhooksCalls


class Calls(
    AccountsCalls,
    ApiKeysCalls,
    AuditCalls,
    UsersCalls,
    GroupsCalls,
    SharingCalls,
    CollectionsCalls,
    SourcesCalls,
    UploadsCalls,
    DocumentsCalls,
    OperationsCalls,
    SearchCalls,
    AlertsCalls,
    WebhooksCalls,
    AssistantsCalls,
    ServerCalls,
):
    """The calls of the REST API."""
