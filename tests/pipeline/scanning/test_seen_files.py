"""The files that a scan has seen, one by one or by unchanged folder."""

from __future__ import annotations

from pipeline.scanning.seen_files import SeenFiles, folder_of


def test_seen_files_are_known_and_no_others() -> None:
    seen = SeenFiles()
    assert "/a/one" not in seen
    for number in range(1000):
        seen.add(f"/a/{number}")
    seen.unchanged_folders |= {"/b", "/"}
    assert all(f"/a/{number}" in seen for number in range(1000))
    assert "/a/1000" not in seen
    seen.add("/a/1000")
    assert "/a/1000" in seen
    assert "/b/any" in seen and "/b/below/any" not in seen
    assert "/top" in seen and folder_of("/top") == "/"
