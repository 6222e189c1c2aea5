"""A few files tell a folder's languages; that they cannot be read is no error."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from semantik.core.errors import Unavailable
from semantik.core.scan_entries import FoundFile
from semantik.services.folder_languages import FolderLanguages, LanguageSampler, chosen

pytestmark = pytest.mark.gen_test


def _files(count: int, extension: str = ".txt", size: int = 100) -> list[FoundFile]:
    return [FoundFile(f"/{number:04}{extension}", size, 0, extension) for number in range(count)]


def _sampler(*languages: str, model: str = "small") -> LanguageSampler:
    async def sample(*_: object) -> Sequence[str]:
        return languages

    return LanguageSampler(sample, lambda: model, ("small",))


async def test_a_model_is_recommended_when_most_is_not_english() -> None:
    assert (await _sampler("de", "de", "ru", "en").languages(_files(4), ("/",))) == FolderLanguages(
        {"de": 2, "ru": 1, "en": 1}, "multilingual"
    )
    assert (await _sampler("de", "en").languages(_files(4), ("/",))).embedding_model is None
    assert (await _sampler().languages(_files(4), ("/",))).embedding_model is None


async def test_nothing_is_recommended_to_a_server_with_another_model() -> None:
    assert (await _sampler("de", model="multilingual").languages(_files(1), ("/",))).embedding_model is None


async def test_a_sample_that_fails_is_no_recommendation() -> None:
    async def sample(*_: object) -> Sequence[str]:
        raise Unavailable("There is no worker.")

    assert (
        await LanguageSampler(sample, lambda: "small", ("small",)).languages(_files(1), ("/",))
        == FolderLanguages()
    )


async def test_few_files_from_all_parts_of_the_folder_are_read() -> None:
    paths = chosen([*_files(1000), *_files(5, ".png"), *_files(5, ".pdf", 50 << 20), *_files(5, ".md", 0)])
    assert len(paths) == 16 and paths[0] == "/0000.txt" and paths[-1] > "/0900"
