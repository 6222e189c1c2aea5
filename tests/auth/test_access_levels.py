"""The access of a principal to a collection, by ownership, shares, groups, `public` and the limits of a key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.mongo_records import new_collection
from support.principals import principal

from semantik.auth.authorization import access_of
from semantik.core.models import Access, Share

OWNER, READER = principal("owner"), principal("reader", groups=frozenset({"editors"}))
COLLECTION = new_collection(OWNER.user.id)
BY_USER, BY_GROUP = Share("user", READER.user.id, "read"), Share("group", "editors", "manage")


@pytest.mark.parametrize(
    ("shares", "public", "expected"),
    [
        ((), False, None),
        ((), True, "read"),
        ((BY_USER,), False, "read"),
        ((BY_USER, BY_GROUP), False, "manage"),
        ((BY_GROUP, BY_USER), True, "manage"),
        ((Share("group", READER.user.id, "write"), Share("user", "editors", "write")), False, None),
    ],
)
def test_the_most_that_is_given_counts(
    shares: tuple[Share, ...], public: bool, expected: Access | None
) -> None:
    assert access_of(READER, replace(COLLECTION, shares=shares, public=public)) == expected


def test_a_credential_for_other_collections_gives_nothing() -> None:
    assert access_of(OWNER, COLLECTION) == "own"
    assert access_of(replace(OWNER, collections=frozenset({COLLECTION.id})), COLLECTION) == "own"
    limited = replace(OWNER, collections=frozenset({"another"}))
    assert access_of(limited, COLLECTION) is None
    assert access_of(limited, replace(COLLECTION, public=True)) is None
