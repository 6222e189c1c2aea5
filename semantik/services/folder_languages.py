"""Which model suits a folder: the languages of a few of its files, and whether most of them are not English.

Runs on the loop. The files are read elsewhere: `sample` comes in as a plain callable.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from semantik.core.errors import SemantikError
from semantik.core.scan_entries import FoundFile

MULTILINGUAL = "multilingual"
MAX_SAMPLE_BYTES = 2 << 20  # a larger file takes too long to read
SAMPLE_S = 4.0
_FILES = 16
TIMEOUT_S = 15.0  # a worker may have to start first, on a busy machine
_ENGLISH = "en"
# Pictures, sound, films, programs and archives, whose text says little or takes long to read.
_PASSED_OVER = frozenset(
    [
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".tif",
        ".tiff",
        ".bmp",
        ".webp",
        ".svg",
        ".ico",
        ".mp3",
        ".wav",
        ".mp4",
        ".mkv",
        ".avi",
        ".mov",
        ".zip",
        ".gz",
        ".tar",
        ".7z",
        ".rar",
        ".xz",
        ".exe",
        ".dll",
        ".so",
        ".bin",
        ".iso",
        ".ttf",
        ".woff",
        ".woff2",
        ".pyc",
        ".class",
        ".o",
        ".a",
        ".js",
        ".css",
        ".py",
        ".c",
        ".h",
        ".cpp",
        ".java",
        ".ts",
        ".json",
        ".lock",
    ]
)
_log = logging.getLogger(__name__)
Sample = Callable[[Sequence[str], tuple[str, ...], int, float], Awaitable[Sequence[str]]]


@dataclass(frozen=True)
class FolderLanguages:
    """How many of the sampled files are in each language (ISO 639-1), and the model that suits them better.

    `embedding_model` is None where the server's own suits them.
    """

    files: Mapping[str, int] = field(default_factory=dict)
    embedding_model: str | None = None


class LanguageSampler:
    """`sample(paths, roots, max_bytes, limit_s)` returns the languages of the files that have one.

    `default_model()` is that of the settings, `english_models` are the names of models that know English only.
    """

    def __init__(
        self, sample: Sample, default_model: Callable[[], str], english_models: Sequence[str]
    ) -> None:
        self._sample = sample
        self._default_model = default_model
        self._english_models = english_models

    async def languages(self, files: Sequence[FoundFile], roots: Sequence[str]) -> FolderLanguages:
        """The languages of files of a scan. Takes seconds at most, and raises nothing: it is but advice."""
        paths = chosen(files)
        if not paths:
            return FolderLanguages()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                counts = Counter(await self._sample(paths, tuple(roots), MAX_SAMPLE_BYTES, SAMPLE_S))
        except (SemantikError, TimeoutError) as error:
            _log.info("the languages of a folder were not looked at: %s", error or "it took too long")
            return FolderLanguages()
        others = counts.total() - counts[_ENGLISH]
        advised = self._default_model() in self._english_models and others * 2 > counts.total()
        return FolderLanguages(dict(counts.most_common()), MULTILINGUAL if advised else None)


def chosen(files: Sequence[FoundFile]) -> list[str]:
    """The paths of a few files with text, from all parts of the folder."""
    suitable = [
        file.path
        for file in files
        if 0 < file.size <= MAX_SAMPLE_BYTES and file.extension.lower() not in _PASSED_OVER
    ]
    step = max(1, len(suitable) // _FILES)
    return suitable[::step][:_FILES]
