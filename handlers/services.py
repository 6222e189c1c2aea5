"""The services that handlers call, as `semantik/server.py` wires them."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.mcp_endpoint import McpEndpoint
from handlers.passing_on import PassingOn
from semantik.app.health import HealthMonitor
from semantik.app.metrics import MetricsRegistry
from semantik.app.rate_limiter import RateLimiter
from semantik.auth.access_monitor import AccessMonitor
from semantik.auth.audit import AuditLog
from semantik.auth.authorization import Authorizer
from semantik.auth.folder_access import FolderAccess
from semantik.auth.groups import GroupService
from semantik.auth.login_throttle import LoginThrottle
from semantik.auth.oidc.service import OidcService
from semantik.auth.proxy_sign_in import ProxySignIn
from semantik.auth.second_factor import SecondFactorService
from semantik.auth.session_monitor import SessionMonitor
from semantik.auth.sessions import SessionService
from semantik.config.settings import Settings
from semantik.connection_limits import ConnectionLimiter
from semantik.progress import ProgressService
from semantik.search.service import SearchService
from semantik.search.suggestions import SuggestionService
from semantik.services.active_operations import ActiveOperations
from semantik.services.answers import AnswerService
from semantik.services.bulk_actions import BulkActions
from semantik.services.collections import CollectionService
from semantik.services.export import ExportService
from semantik.services.folder_browser import FolderBrowser
from semantik.services.folder_scans import FolderScans
from semantik.services.listing.service import ListingService
from semantik.services.notifications import AlertService, SavedSearchService, WebhookService
from semantik.services.operations import OperationService
from semantik.services.originals import OriginalService
from semantik.services.sharing import SharingService
from semantik.services.sources import SourceService
from semantik.services.system import SystemService
from semantik.services.tags import TagService
from semantik.services.uploads import UploadService
from semantik.services.users import UserService
from semantik.services.views import ViewService


@dataclass(frozen=True)
class Services:
    """The application's setting `services`; a reload of the settings replaces it."""

    settings: Settings
    sessions: SessionService
    second_factors: SecondFactorService
    audit: AuditLog
    groups: GroupService
    oidc: OidcService
    proxy: ProxySignIn
    authorizer: Authorizer
    collections: CollectionService
    sharing: SharingService
    users: UserService
    tags: TagService
    lists: ListingService
    bulk: BulkActions
    exports: ExportService
    operations: OperationService
    sources: SourceService
    views: ViewService
    uploads: UploadService
    originals: OriginalService
    search: SearchService
    suggestions: SuggestionService
    progress: ProgressService
    connection_limiter: ConnectionLimiter
    health: HealthMonitor
    system: SystemService
    session_monitor: SessionMonitor
    access_monitor: AccessMonitor
    active_operations: ActiveOperations
    metrics: MetricsRegistry
    folder_browser: FolderBrowser
    passing_on: PassingOn
    folder_scans: FolderScans
    folder_access: FolderAccess
    login_throttle: LoginThrottle
    rate_limiter: RateLimiter
    mcp: McpEndpoint
    answers: AnswerService
    alerts: AlertService
    saved_searches: SavedSearchService
    webhooks: WebhookService
