"""The three top-level packages are ours alone: no other distribution in the environment brings one of these names."""

from __future__ import annotations

from importlib import metadata

import pytest


@pytest.mark.parametrize("package", ["semantik", "handlers", "pipeline"])
def test_each_package_has_one_owner(package):
    assert set(metadata.packages_distributions()[package]) == {"semantik"}


def test_it_cannot_be_uploaded_by_mistake():
    assert "Private :: Do Not Upload" in metadata.metadata("semantik").get_all("Classifier", [])
