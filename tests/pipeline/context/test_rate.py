"""The pace of an operation, on a clock of the test's own."""

from __future__ import annotations

from pipeline.context.rate import RateEstimator, file_work


def test_the_time_left_counts_what_is_done_of_a_large_file() -> None:
    clock = [0.0]
    pace = RateEstimator(lambda: clock[0])
    pace.start(1000)
    assert (pace.eta_s, pace.files_per_s) == (None, 0.0)
    clock[0] = 10.0
    pace.advance(250)
    assert pace.eta_s == 30.0
    clock[0] = 20.0
    assert pace.eta_s == 60.0, "while nothing is done, it takes longer"
    pace.advance(750)
    pace.finish(4)
    assert (pace.eta_s, pace.files_per_s) == (0.0, 0.2)


def test_nothing_is_said_in_the_first_moment_and_an_empty_file_is_work_too() -> None:
    clock = [0.0]
    pace = RateEstimator(lambda: clock[0])
    pace.start(2 * file_work(0))
    clock[0] = 0.5
    pace.advance(file_work(0))
    assert pace.eta_s is None
    clock[0] = 2.0
    assert pace.eta_s == 2.0
