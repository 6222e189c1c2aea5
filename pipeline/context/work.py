"""How much of an operation's reading and embedding is done, how fast it goes, and how long it will still take.

Work is measured in bytes of text. A file that is not read yet counts with its size; one that is read counts with its
chunks, so what it really takes replaces the guess, and the guesses for the other files follow what was found. The pace
is that of the last half a minute. Knows nothing of documents or messages.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_CHUNK_BYTES = 800  # of text, in a chunk of the default size
_FILE_BYTES = 800  # what a file takes besides its chunks: to be opened, read, written
_WINDOW_S = 30.0
_SAMPLE_S = 0.5
_MIN_ELAPSED_S = 1.0


@dataclass(frozen=True)
class Done:
    """What was done until a moment: work, finished files, embedded chunks, and bytes of the files they are of."""

    at: float
    work: float = 0.0
    files: int = 0
    chunks: int = 0
    size: float = 0.0


class WorkProgress:
    """`clock` gives seconds. The methods say what has happened; the properties what that amounts to."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unread = 0.0  # the guessed work of files that are not read
        self._known = 0.0  # the work that is left of files that are read
        self._guessed = self._found = 0.0  # the work of files that are read, as it was guessed and as it is
        self._earlier = 0.0  # the share that was done before this server had the operation
        self._done = Done(clock())
        self._first: Done | None = None
        self._samples: deque[Done] = deque()
        self._ahead = 0.0  # bytes of files that are not done

    def resume(self, share: float) -> None:
        """Another attempt has done this share of the whole, from 0 to 1."""
        self._earlier = share

    def start(self, files: int, size: int) -> None:
        """Begin a round: so many files of `size` bytes together are ahead."""
        self._unread = float(files * _FILE_BYTES + size)
        self._known = 0.0
        self._ahead = float(size)

    def add_file(self, size: int) -> None:
        """Another file is ahead: a part of a container."""
        self._unread += size + _FILE_BYTES
        self._ahead += size

    def remove_file(self, size: int) -> None:
        """A file is no work itself: a container, whose parts are."""
        self._unread = max(0.0, self._unread - size - _FILE_BYTES)
        self._ahead = max(0.0, self._ahead - size)

    def read(self, size: int, chunks: int) -> None:
        """A file was read; so many of its chunks have to be embedded."""
        guess, work = size + _FILE_BYTES, chunks * _CHUNK_BYTES + _FILE_BYTES
        self._unread = max(0.0, self._unread - guess)
        self._guessed += guess
        self._found += work
        self._known += work
        self._advance(_FILE_BYTES, size=0 if chunks else size)

    def embedded(self, size: int, chunks: int, of: int) -> None:
        """So many chunks, `of` all that had to be embedded of a file, are embedded."""
        self._advance(chunks * _CHUNK_BYTES, chunks=chunks, size=size * chunks / of)

    def finish(self, files: int) -> None:
        """So many files are stored."""
        self._advance(0, files=files)

    @property
    def share(self) -> float:
        """From 0 to 1; 0 while nothing is known."""
        whole = self._done.work + self._remaining
        return self._earlier + (1 - self._earlier) * self._done.work / whole if whole else self._earlier

    @property
    def bytes_done(self) -> int:
        return round(self._done.size)

    @property
    def bytes_total(self) -> int:
        """Bytes of the files that this server reads for the operation."""
        return round(self._done.size + self._ahead)

    @property
    def files_per_s(self) -> float:
        return round(self._pace(lambda done: done.files), 2)

    @property
    def chunks_per_s(self) -> float:
        return round(self._pace(lambda done: done.chunks), 1)

    @property
    def bytes_per_s(self) -> float:
        return round(self._pace(lambda done: done.size))

    @property
    def eta_s(self) -> float | None:
        """Seconds left; None while there is nothing to estimate from."""
        pace = self._pace(lambda done: done.work) or self._average
        return round(self._remaining / pace, 1) if pace else None

    @property
    def _remaining(self) -> float:
        """Files that are not read are guessed to differ from their size as those that are."""
        ratio = self._found / self._guessed if self._guessed else 1.0
        return self._unread * ratio + self._known

    def _advance(self, work: float, files: int = 0, chunks: int = 0, size: float = 0.0) -> None:
        was = self._done
        self._known = max(0.0, self._known - work)
        self._ahead = max(0.0, self._ahead - size)
        self._done = Done(
            self._clock(), was.work + work, was.files + files, was.chunks + chunks, was.size + size
        )
        if self._first is None:  # the first file waits for the model: the pace is counted from then on
            self._first = self._done
        if not self._samples or self._done.at - self._samples[-1].at >= _SAMPLE_S:
            self._samples.append(self._done)

    def _pace(self, of: Callable[[Done], float]) -> float:
        """Per second, in the window."""
        if not self._samples:
            return 0.0
        now = self._clock()
        while len(self._samples) > 1 and self._samples[1].at <= now - _WINDOW_S:
            self._samples.popleft()
        return _per_s(of(self._done) - of(self._samples[0]), now - self._samples[0].at)

    @property
    def _average(self) -> float:
        """Work per second since the first file was read; where a step takes longer than the window."""
        if self._first is None:
            return 0.0
        return _per_s(self._done.work - self._first.work, self._clock() - self._first.at)


def share_without(share: float, waiting: float, total: int) -> float:
    """The share of the work that is done, where `waiting` of `total` documents count as not done: they were read, and
    wait for the recognition of their text."""
    return max(0.0, share - waiting / total) if total else share


def _per_s(done: float, elapsed_s: float) -> float:
    return done / elapsed_s if elapsed_s >= _MIN_ELAPSED_S else 0.0
