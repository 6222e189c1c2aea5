"""Groups of users, which collections can be shared with. Written by `make clients` from docs/openapi.yaml:
do not change it by hand.
"""

from __future__ import annotations

from semantik.client.transport import Transport
from semantik.client.types.groups import Group, GroupList
from semantik.client.values import UNSET, Unset, fill


class GroupsCalls(Transport):
    """Groups of users, which collections can be shared with."""

    async def list_groups(self) -> GroupList:
        """The groups that you belong to; for an administrator all.

        Raises Refused (401, 421, 429, 503) and Unavailable.
        """
        answer: GroupList = await self.read_json("GET", "groups")
        return answer

    async def create_group(self, name: str, *, roots: list[str] | Unset = UNSET) -> Group:
        """Create a group.

        For administrators.

        name: 1 to 200 printable characters; no other group may have it, in any case.
        roots: Absolute paths of folders.

        Raises Refused (401, 403, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Group = await self.read_json("POST", "groups", body={"name": name, "roots": roots})
        return answer

    async def change_group(
        self, group_id: str, *, name: str | Unset = UNSET, roots: list[str] | Unset = UNSET
    ) -> Group:
        """Change a group.

        For administrators.

        name: 1 to 200 printable characters.
        roots: Absolute paths of folders.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Group = await self.read_json(
            "PATCH", fill("groups/{}", group_id), body={"name": name, "roots": roots}
        )
        return answer

    async def delete_group(self, group_id: str) -> None:
        """Delete a group.

        For administrators.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json("DELETE", fill("groups/{}", group_id))

    async def add_member(self, group_id: str, user_id: str) -> Group:
        """Make a user a member of a group.

        For administrators.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: Group = await self.read_json("PUT", fill("groups/{}/members/{}", group_id, user_id))
        return answer

    async def remove_member(self, group_id: str, user_id: str) -> None:
        """Remove a user from a group.

        For administrators.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json("DELETE", fill("groups/{}/members/{}", group_id, user_id))
