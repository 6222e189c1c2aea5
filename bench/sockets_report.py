"""The report of the socket benchmark: a table of both servers, caveats, and the machine. Measures nothing."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import psutil
import tornado

Measurements = dict[str, float]

_MIN_STEADY_SHARE = 0.95
_MAX_WAITED_SHARE = 0.1


def table(semantik: Measurements, baseline: Measurements, offered_per_s: float) -> str:
    """One row per measurement, with the ratio of the two servers."""
    rows = [
        ("burst: delivered/s", "burst_delivered_per_s", "{:,.0f}"),
        ("burst: server CPU µs per delivered message", "burst_cpu_us_per_message", "{:.1f}"),
        ("burst: server CPU share of a core", "burst_cpu_share", "{:.2f}"),
        ("burst: server waited for a core, share", "burst_waited_share", "{:.2f}"),
        ("burst: reader CPU share of a core", "burst_reader_cpu_share", "{:.2f}"),
        (f"steady: delivered/s, of {offered_per_s:,.0f} offered", "steady_delivered_per_s", "{:,.0f}"),
        ("steady: p50 from XADD to receipt, ms", "steady_p50_ms", "{:.2f}"),
        ("steady: p99, ms", "steady_p99_ms", "{:.2f}"),
        ("steady: max, ms", "steady_max_ms", "{:.2f}"),
        ("steady: server CPU µs per delivered message", "steady_cpu_us_per_message", "{:.1f}"),
        ("steady: server CPU share of a core", "steady_cpu_share", "{:.2f}"),
        ("steady: server waited for a core, share", "steady_waited_share", "{:.2f}"),
        ("steady: reader CPU share of a core", "steady_reader_cpu_share", "{:.2f}"),
        ("memory per socket, idle: USS, KiB", "idle_uss_kib", "{:.1f}"),
        ("memory per socket, idle: RSS, KiB", "idle_rss_kib", "{:.1f}"),
        ("memory per socket, after the load: USS, KiB", "after_uss_kib", "{:.1f}"),
        ("memory per socket, after the load: RSS, KiB", "after_rss_kib", "{:.1f}"),
        ("bytes of a message on the wire", "burst_wire_bytes_per_message", "{:.0f}"),
        ("seconds to connect all sockets", "connect_s", "{:.1f}"),
        ("messages delivered in bursts", "burst_delivered", "{:,.0f}"),
        ("messages delivered steadily", "steady_delivered", "{:,.0f}"),
        ("messages lost", "lost", "{:.0f}"),
        ("messages repeated", "repeated", "{:.0f}"),
    ]
    lines = [f"{'':44}{'Semantik':>12}{'Tornado':>14}{'ratio':>13}"]
    for title, name, format_spec in rows:
        ratio = f"{semantik[name] / baseline[name]:.2f}" if baseline[name] > 0 else ""
        lines.append(
            f"{title:44}{format_spec.format(semantik[name]):>12}{format_spec.format(baseline[name]):>14}{ratio:>13}"
        )
    return "\n".join(lines)


def caveats(targets: dict[str, Measurements], offered_per_s: float) -> list[str]:
    """Reasons to distrust the results of this run."""
    found = []
    for name, measured in targets.items():
        if measured["steady_delivered_per_s"] < _MIN_STEADY_SHARE * offered_per_s:
            found.append(
                f"{name} did not keep up with the steady rate: its latencies are those of a growing queue."
            )
        waited = max(measured["burst_waited_share"], measured["steady_waited_share"])
        if waited > _MAX_WAITED_SHARE:
            found.append(
                f"{name} waited for a core for {waited:.0%} of the time: rates and latencies depend on the machine, "
                "and only the CPU time per message is comparable."
            )
    return found


def machine() -> dict[str, Any]:
    """The machine that the results belong to."""
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": model[0].partition(": ")[2] if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30), 1),
        "load_before": os.getloadavg()[0],
        "kernel": platform.release(),
        "python": platform.python_version(),
        "tornado": tornado.version,
    }
