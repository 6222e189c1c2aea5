"""Keys for programs. An API key cannot use these operations itself. Written by `make clients` from
docs/openapi.yaml: do not change it by hand.
"""

from __future__ import annotations

from semantik.client.transport import Transport
from semantik.client.types.api_keys import ApiKeyList, NewApiKey, Scope
from semantik.client.values import UNSET, Unset, fill


class ApiKeysCalls(Transport):
    """Keys for programs. An API key cannot use these operations itself."""

    async def list_api_keys(self) -> ApiKeyList:
        """Your API keys, the oldest first.

        Raises Refused (401, 403, 421, 429, 503) and Unavailable.
        """
        answer: ApiKeyList = await self.read_json("GET", "api-keys")
        return answer

    async def create_api_key(
        self,
        name: str,
        *,
        scopes: list[Scope] | Unset | None = UNSET,
        expires_in_days: int | Unset | None = UNSET,
        collections: list[str] | Unset | None = UNSET,
    ) -> NewApiKey:
        """Create an API key.

        name: 1 to 200 printable characters.
        scopes: null: `read`.
        expires_in_days: null: the key never expires. Without it the key expires after
            `auth.api_key_days`.
        collections: The ids of the only collections that the key is good for, at least one; null: all.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: NewApiKey = await self.read_json(
            "POST",
            "api-keys",
            body={
                "name": name,
                "scopes": scopes,
                "expires_in_days": expires_in_days,
                "collections": collections,
            },
        )
        return answer

    async def revoke_api_key(self, key_id: str) -> None:
        """Revoke an API key.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json("DELETE", fill("api-keys/{}", key_id))
