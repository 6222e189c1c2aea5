"""The remaining time of steps of one kind, with a fake clock."""

from __future__ import annotations

from pipeline.context.rate import RateEstimator


def test_the_remaining_time_grows_while_nothing_is_processed() -> None:
    clock = [0.0]
    rate = RateEstimator(lambda: clock[0])
    rate.start(1000)
    assert rate.eta_s is None
    clock[0] = 10.0
    rate.advance(250)
    assert rate.eta_s == 30.0
    clock[0] = 20.0
    assert rate.eta_s == 60.0
    rate.advance(750)
    assert rate.eta_s == 0.0


def test_there_is_no_estimate_at_first() -> None:
    clock = [0.0]
    rate = RateEstimator(lambda: clock[0])
    rate.start(2)
    clock[0] = 0.5
    rate.advance(1)
    assert rate.eta_s is None
    clock[0] = 2.0
    assert rate.eta_s == 2.0
