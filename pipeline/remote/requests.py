"""What a server asks of a worker of the cluster: frozen, picklable dataclasses; answers: `compute/answers.py`.

A request can be run again, by any worker: it changes nothing, and has all that it needs with it but the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.compute.messages import ChunkingOptions, FileTask, ModelSpec, Pages
from pipeline.compute.page_messages import PageTask
from pipeline.extraction.recognition.installation import Recognition
from pipeline.remote.sent_files import SentFile
from semantik import __version__
from semantik.config.settings import DocumentSettings
from semantik.core.errors import SemantikError

RESOURCE = f"semantik {__version__}"
"""What a worker offers to the scheduler as often as it has processes: other versions might read files differently."""


def page_resources(page: PageTask) -> frozenset[str]:
    """What a worker must offer to recognise a page."""
    return ocr_resources(page.engine, page.languages.split("+"))


def ocr_resources(engine: str, languages: Sequence[str]) -> frozenset[str]:
    """What a worker offers besides if it recognises pages: a tesseract, like "tesseract-5.3.0", with its languages."""
    return frozenset(f"{engine} {language}" for language in languages)


class NoModel(SemantikError):
    """The worker cannot load the model; its message says why, in one sentence."""


@dataclass(frozen=True)
class Terms:
    """The settings of the server that asks, its armed failpoint, and the user for whom it asks."""

    documents: DocumentSettings
    precision: str
    failpoint: str
    owner: str


@dataclass(frozen=True)
class ReadRequest:
    """See `ComputePool.read`; `contents` are the files and their sidecars, `recognition` is what the server can do with
    their pictures.
    """

    terms: Terms
    files: Sequence[FileTask]
    contents: Sequence[SentFile]
    options: ChunkingOptions
    recognition: Recognition

    @property
    def model(self) -> ModelSpec:
        return ModelSpec(self.options.model, self.terms.precision)


@dataclass(frozen=True)
class SplitRequest:
    """See `ComputePool.split`."""

    terms: Terms
    text: str
    pages: Pages
    options: ChunkingOptions

    @property
    def model(self) -> ModelSpec:
        return ModelSpec(self.options.model, self.terms.precision)


@dataclass(frozen=True)
class EmbedRequest:
    """See `ComputePool.embed`."""

    terms: Terms
    model: ModelSpec
    texts: Sequence[str]


@dataclass(frozen=True)
class RecogniseRequest:
    """See `ComputePool.recognise`; `contents` is the file. The pages have the same engine and languages."""

    terms: Terms
    pages: Sequence[PageTask]
    contents: Sequence[SentFile]

    @property
    def model(self) -> None:
        """None is needed."""

    @property
    def resources(self) -> frozenset[str]:
        """What the worker must offer, beside processes for any task."""
        return page_resources(self.pages[0])


Request = ReadRequest | SplitRequest | EmbedRequest | RecogniseRequest
