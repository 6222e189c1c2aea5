"""Groups of users, which collections can be shared with. Written by `make clients` from docs/openapi.yaml:
do not change it by hand.
"""

from __future__ import annotations

from semantik.client.portal import Portal
from semantik.client.types.groups import Group, GroupList
from semantik.client.values import UNSET, Unset


class GroupsSyncCalls(Portal):
    """Groups of users, which collections can be shared with."""

    def list_groups(self) -> GroupList:
        """The groups that you belong to; for an administrator all."""
        return self.run(lambda client: client.list_groups())

    def create_group(self, name: str, *, roots: list[str] | Unset = UNSET) -> Group:
        """Create a group."""
        return self.run(lambda client: client.create_group(name, roots=roots))

    def change_group(
        self, group_id: str, *, name: str | Unset = UNSET, roots: list[str] | Unset = UNSET
    ) -> Group:
        """Change a group."""
        return self.run(lambda client: client.change_group(group_id, name=name, roots=roots))

    def delete_group(self, group_id: str) -> None:
        """Delete a group."""
        return self.run(lambda client: client.delete_group(group_id))

    def add_member(self, group_id: str, user_id: str) -> Group:
        """Make a user a member of a group."""
        return self.run(lambda client: client.add_member(group_id, user_id))

    def remove_member(self, group_id: str, user_id: str) -> None:
        """Remove a user from a group."""
        return self.run(lambda client: client.remove_member(group_id, user_id))
