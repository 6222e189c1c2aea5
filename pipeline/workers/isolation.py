"""What the workers of a pool may do, by their role, and which of it the kernel has enforced. Runs on the loop."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.isolation import readable_paths
from pipeline.isolation.profile import Profile, Report
from semantik.app.health import IsolationState
from semantik.config.settings import Settings
from semantik.core.document_roots import is_inside, resolved
from semantik.core.errors import Unavailable


@dataclass(frozen=True)
class WorkerIsolation:
    """`profile()` is that of a worker which starts now; `accept(report)` raises Unavailable if it must not be used."""

    profile: Callable[[], Profile | None]
    accept: Callable[[Report | None], None]


_log = logging.getLogger(__name__)
NOT_ISOLATED = WorkerIsolation(lambda: None, lambda report: None)


class Isolation:
    """Of a pool with these settings, whose functions also read what is below `readable`, and cache in `models_dir`."""

    def __init__(self, settings: Callable[[], Settings], readable: Sequence[str], models_dir: str) -> None:
        self._settings = settings
        self._programs = (*readable_paths.of_programs(os.environ), *readable)
        self._listed = readable_paths.folders_of_packages()
        self._models_dir = models_dir
        self._models: set[str] = set()
        self._report: Report | None = None
        # Workers read files, chunks and queries: nothing but programs and models, and the files handed over.
        self.reading = WorkerIsolation(self._reading, self._accept)
        # They build indexes from vectors and words.
        data = settings().data.resolve()
        self.indexing = self._writing(str(data / "index"), str(data / "keywords"))
        # They trace and unpack models.
        self.tracing = self._writing(models_dir)
        # They load models only, and a GPU's driver needs its files and sockets.
        self.computing = WorkerIsolation(partial(self._unless_off, Profile(any_file=True)), self._accept)
        # They download models.
        self.downloading = WorkerIsolation(
            partial(self._unless_off, Profile(any_file=True, network=True)), lambda report: None
        )

    def add_model(self, name: str) -> None:
        """Have the workers that start from now on read this model's folder, if it is one."""
        self._models.add(name)

    @property
    def state(self) -> IsolationState:
        """As the workers that read files report it."""
        mode, report = self._settings().pool.isolation, self._report
        if report is None:
            return IsolationState(mode)
        return IsolationState(
            mode,
            report.network,
            report.files,
            report.signals,
            report.privileges,
            report.system_calls,
            (*report.problems, *self._exposed()),
        )

    def _exposed(self) -> tuple[str, ...]:
        """The data folder may lie in one that workers read, as that of an installation below /usr would."""
        data = str(self._settings().data.resolve())
        if self._settings().pool.isolation == "off" or not is_inside(data, resolved(self._programs)):
            return ()
        return (f"The data folder {data} lies in a folder of programs, which workers can read: move it.",)

    def _reading(self) -> Profile | None:
        folders = _made((self._models_dir,))
        readable = (*self._programs, *self._models_read())
        return self._unless_off(Profile(readable, listed=self._listed, folders=folders))

    def _writing(self, *folders: str) -> WorkerIsolation:
        def profile() -> Profile | None:
            readable = (*self._programs, *self._models_read())
            made = _made((*folders, self._models_dir))
            return self._unless_off(Profile(readable, folders, self._listed, folders=made))

        return WorkerIsolation(profile, self._accept)

    def _models_read(self) -> tuple[str, ...]:
        settings = self._settings()
        names = {settings.embedding.model, settings.search.reranker, *self._models}
        return (self._models_dir, *readable_paths.of_models(sorted(names), os.environ))

    def _unless_off(self, profile: Profile) -> Profile | None:
        return None if self._settings().pool.isolation == "off" else profile

    def _accept(self, report: Report | None) -> None:
        for problem in report.problems if report and self._report is None else ():
            _log.warning("The workers are isolated in part only. %s", problem)
        self._report = report
        if self._settings().pool.isolation == "require" and (report is None or report.problems):
            problem = report.problems[0] if report else ""
            raise Unavailable(
                f'Workers cannot be isolated (pool.isolation = "require"). {problem}'.rstrip(), 60
            )


def _made(paths: Sequence[str]) -> tuple[int, ...]:
    """The inodes of the folders, which are made if the folder around them exists."""
    found = []
    for path in map(Path, paths):
        with suppress(OSError):
            path.mkdir(mode=0o700, exist_ok=True)
            found.append(path.stat().st_ino)
    return tuple(found)
