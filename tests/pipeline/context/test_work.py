"""What is done, how fast it goes and how long it still takes, with a fake clock."""

from __future__ import annotations

import pytest

from pipeline.context.work import WorkProgress, share_without

BOOK, LETTER = 1_000_000, 700


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def work(clock: list[float]) -> WorkProgress:
    return WorkProgress(lambda: clock[0])


def test_nothing_is_said_before_there_is_something_to_say(work: WorkProgress, clock: list[float]) -> None:
    assert (work.share, work.eta_s, work.files_per_s, work.bytes_total) == (0.0, None, 0.0, 0)
    work.start(2, 1600)
    clock[0] = 40.0  # the model is loaded
    work.read(800, 1)
    assert work.eta_s is None
    clock[0] = 40.5
    work.embedded(800, 1, 1)
    assert work.eta_s is None
    assert (work.bytes_done, work.bytes_total) == (800, 1600)


def test_a_large_file_advances_while_it_is_embedded(work: WorkProgress, clock: list[float]) -> None:
    work.start(1, BOOK)
    work.read(BOOK, 1250)
    shares = []
    for second in range(1, 126):
        clock[0] = second
        work.embedded(BOOK, 10, 1250)
        shares.append(work.share)
        assert work.chunks_per_s == pytest.approx(10)
        assert work.bytes_per_s == pytest.approx(8000)
    assert shares == sorted(shares) and shares[0] < 0.01 and shares[-1] == pytest.approx(1)
    assert len(set(shares)) == len(shares)
    assert (work.eta_s, work.bytes_done) == (0.0, BOOK)


@pytest.mark.parametrize("book_first", [False, True])
@pytest.mark.parametrize("per_file_s", [0.005, 0.2])
def test_the_time_left_is_within_a_factor_of_two_from_a_fifth_on(
    work: WorkProgress, clock: list[float], book_first: bool, per_file_s: float
) -> None:
    """One book among a hundred letters, on a machine that embeds 80 chunks a second."""
    work.start(101, BOOK + 100 * LETTER)
    estimates: list[tuple[float, float, float | None]] = []

    def take(seconds: float) -> None:
        clock[0] += seconds
        estimates.append((clock[0], work.share, work.eta_s))

    def book() -> None:
        take(1.0)
        work.read(BOOK, 1250)
        for _ in range(125):
            take(10 / 80)
            work.embedded(BOOK, 10, 1250)
        work.finish(1)

    def letters() -> None:
        for _ in range(100):
            take(per_file_s)
            work.read(LETTER, 1)
            take(1 / 80)
            work.embedded(LETTER, 1, 1)
            work.finish(1)

    for part in (book, letters) if book_first else (letters, book):
        part()
    end = clock[0]
    told = [(eta, end - at) for at, share, eta in estimates if share >= 0.2 and end - at > 2]
    assert told
    if per_file_s < 0.1:  # what the estimate supposes: chunks take the time
        assert all(eta is not None and left / 2 <= eta <= left * 2 for eta, left in told), told
    assert all(eta is not None for eta, _ in told)


def test_files_that_hold_less_than_their_size_says_correct_the_guess(
    work: WorkProgress, clock: list[float]
) -> None:
    work.start(10, 10 * BOOK)  # pictures with a line of text each
    work.read(BOOK, 2)
    clock[0] = 1.0
    work.embedded(BOOK, 2, 2)
    clock[0] = 2.0
    work.read(BOOK, 2)
    work.embedded(BOOK, 2, 2)
    assert work.share == pytest.approx(0.2, abs=0.01)
    assert work.eta_s is not None and 5 <= work.eta_s <= 20


def test_the_pace_is_that_of_the_last_half_a_minute(work: WorkProgress, clock: list[float]) -> None:
    work.start(1, BOOK)
    work.read(BOOK, 1250)
    for _ in range(60):
        clock[0] += 1
        work.embedded(BOOK, 1, 1250)
    for _ in range(31):
        clock[0] += 1
        work.embedded(BOOK, 20, 1250)
    assert work.chunks_per_s == pytest.approx(20, rel=0.1)
    clock[0] += 300  # nothing moves: the pace falls, and the average says how long it may take
    assert work.chunks_per_s < 1
    assert work.eta_s is not None and work.eta_s > 60


def test_another_attempt_goes_on_where_the_last_was(work: WorkProgress, clock: list[float]) -> None:
    work.resume(0.6)
    work.start(4, 4 * LETTER)
    assert work.share == 0.6
    assert work.eta_s is None and work.files_per_s == 0.0, "an old pace says nothing about this server"
    for _ in range(4):
        clock[0] += 1
        work.read(LETTER, 1)
        work.embedded(LETTER, 1, 1)
    assert work.share == pytest.approx(1)


def test_a_container_is_no_work_but_its_parts_are(work: WorkProgress) -> None:
    work.start(1, 5000)
    work.add_file(400)
    work.add_file(600)
    work.remove_file(5000)
    assert work.bytes_total == 1000
    work.read(400, 0)
    work.read(600, 0)
    assert (work.share, work.bytes_done) == (1.0, 1000)


def test_scans_whose_text_is_still_to_be_recognised_are_no_progress(work: WorkProgress) -> None:
    """Of ten, which are read one after the other, the halfway point is none of the whole."""
    work.start(10, 10 * BOOK)
    for scans in range(1, 11):
        work.read(BOOK, 0)
        assert share_without(work.share, scans, 10) == pytest.approx(0.0)
    assert share_without(1.0, 4, 10) == pytest.approx(0.6) and share_without(0.5, 3, 0) == 0.5
