"""Sidecar files: small files beside a document that say what it is. Pure; knows names only.

For `scan.pdf` they are, the first that exists: `scan.pdf.meta.yaml` (`.yml`, `.json`, `.toml`), `scan.pdf.xmp`,
`scan.xmp`, and calibre's `metadata.opf` in the same folder. They are no documents themselves while what they describe
is there.
"""

from __future__ import annotations

from collections.abc import Sequence

File = tuple[str, int, int]
"""Name, size in bytes, time of the last change in ns."""
_OWN = (".meta.yaml", ".meta.yml", ".meta.json", ".meta.toml", ".xmp")
_FOLDERS = "metadata.opf"
_NOT_BOOKS = (".jpg", ".jpeg", ".png", ".opf")  # covers


def with_sidecars(files: Sequence[File]) -> tuple[Sequence[File], dict[str, str]]:
    """The files of one folder that are documents, and the mark of the sidecar of each that has one, by its name."""
    possible = {each[0]: each for each in files if each[0].endswith((*_OWN, _FOLDERS))}
    if not possible:
        return files, {}
    marks: dict[str, str] = {}
    used: set[str] = set()
    for name, _, _ in files:
        if name in possible and not name.endswith(".xmp"):
            continue
        found = next((possible[each] for each in _candidates(name) if each in possible), None)
        if found is not None and found[0] != name:
            marks[name] = ":".join(map(str, found))
            used.add(found[0])
    return [each for each in files if each[0] not in used], marks


def sidecar_path(path: str, mark: str) -> str:
    """The path of the sidecar of the document at `path`."""
    return f"{path.rpartition('/')[0]}/{mark.rsplit(':', 2)[0]}"


def _candidates(name: str) -> list[str]:
    stem = name.rpartition(".")[0]
    found = [name + ending for ending in _OWN]
    if stem:
        found.append(f"{stem}.xmp")
    if not name.lower().endswith(_NOT_BOOKS):
        found.append(_FOLDERS)
    return found
