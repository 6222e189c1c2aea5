"""Files that a scan has met are known again, by their folder or by themselves."""

from __future__ import annotations

from pipeline.scanning.seen_files import SeenFiles, folder_of


def test_what_was_met_is_known_and_nothing_else() -> None:
    met = SeenFiles()
    assert "/a/one" not in met
    for number in range(1000):
        met.add(f"/a/{number}")
    met.unchanged_folders |= {"/b", "/"}
    assert all(f"/a/{number}" in met for number in range(1000))
    assert "/a/1000" not in met
    met.add("/a/1000")
    assert "/a/1000" in met
    assert "/b/any" in met and "/b/below/any" not in met
    assert "/top" in met and folder_of("/top") == "/"
