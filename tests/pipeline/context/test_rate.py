"""The rate and the remaining time of an operation, with a fake clock."""

from __future__ import annotations

from pipeline.context.rate import RateEstimator, file_work


def test_the_remaining_time_includes_progress_within_a_large_file() -> None:
    clock = [0.0]
    rate = RateEstimator(lambda: clock[0])
    rate.start(1000)
    assert (rate.eta_s, rate.files_per_s) == (None, 0.0)
    clock[0] = 10.0
    rate.advance(250)
    assert rate.eta_s == 30.0
    clock[0] = 20.0
    assert rate.eta_s == 60.0, "the estimate grows while nothing is processed"
    rate.advance(750)
    rate.finish(4)
    assert (rate.eta_s, rate.files_per_s) == (0.0, 0.2)


def test_there_is_no_estimate_at_first_and_an_empty_file_counts_as_work() -> None:
    clock = [0.0]
    rate = RateEstimator(lambda: clock[0])
    rate.start(2 * file_work(0))
    clock[0] = 0.5
    rate.advance(file_work(0))
    assert rate.eta_s is None
    clock[0] = 2.0
    assert rate.eta_s == 2.0
