"""Keys for programs. An API key cannot use these operations itself. Written by `make clients` from
docs/openapi.yaml: do not change it by hand.
"""

from __future__ import annotations

from semantik.client.portal import Portal
from semantik.client.types.api_keys import ApiKeyList, NewApiKey, Scope
from semantik.client.values import UNSET, Unset


class ApiKeysSyncCalls(Portal):
    """Keys for programs. An API key cannot use these operations itself."""

    def list_api_keys(self) -> ApiKeyList:
        """Your API keys, the oldest first."""
        return self.run(lambda client: client.list_api_keys())

    def create_api_key(
        self,
        name: str,
        *,
        scopes: list[Scope] | Unset | None = UNSET,
        expires_in_days: int | Unset | None = UNSET,
        collections: list[str] | Unset | None = UNSET,
    ) -> NewApiKey:
        """Create an API key."""
        return self.run(
            lambda client: client.create_api_key(
                name, scopes=scopes, expires_in_days=expires_in_days, collections=collections
            )
        )

    def revoke_api_key(self, key_id: str) -> None:
        """Revoke an API key."""
        return self.run(lambda client: client.revoke_api_key(key_id))
