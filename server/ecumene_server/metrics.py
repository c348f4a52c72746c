"""What `/metrics` and `/healthz` tell, read from the running parts when they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ecumene_server import http

KIND: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reading:
    """One number.

    Attributes:
        name: Without the prefix `ecumene_`; counters without `_total`.
        help: One line, with the unit.
        value: Now.
        counts: Whether it only ever grows.
        labels: Label to value.
    """

    name: str
    help: str
    value: float
    counts: bool = False
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Spread:
    """Many numbers, counted by size.

    Attributes:
        name: Without the prefix `ecumene_`.
        help: One line, with the unit.
        buckets: Upper bound, and how many numbers are at most that; ascending, the last for "+Inf".
        total: Sum of the numbers.
    """

    name: str
    help: str
    buckets: Sequence[tuple[str, float]]
    total: float


class Readings(Collector):
    """Hands the numbers of the moment to Prometheus."""

    def __init__(self, source: Callable[[], Iterable[Reading | Spread]]) -> None:
        self._source = source

    def collect(self) -> Iterator[Metric]:
        """Yields one family for each name."""
        families: dict[str, Any] = {}
        for each in self._source():
            if isinstance(each, Spread):
                name = f"ecumene_{each.name}"
                yield HistogramMetricFamily(name, each.help, buckets=each.buckets, sum_value=each.total)
                continue
            if each.name not in families:
                names = [label for label, _ in each.labels]
                family = CounterMetricFamily if each.counts else GaugeMetricFamily
                families[each.name] = family(f"ecumene_{each.name}", each.help, labels=names)
            families[each.name].add_metric([value for _, value in each.labels], each.value)
        yield from families.values()


def exposition(source: Callable[[], Iterable[Reading | Spread]]) -> Callable[[], http.Body]:
    """Returns what answers `/metrics`: our numbers and the process's own."""
    registry = CollectorRegistry()
    registry.register(Readings(source))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return lambda: http.Body(generate_latest(registry), None, KIND, '""', "no-store")
