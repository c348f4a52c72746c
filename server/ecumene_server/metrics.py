"""What `/metrics` and `/healthz` tell, read from the running parts when they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
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


class Readings(Collector):
    """Hands the numbers of the moment to Prometheus."""

    def __init__(self, source: Callable[[], Iterable[Reading]]) -> None:
        self._source = source

    def collect(self) -> Iterator[Metric]:
        """Yields one family for each name."""
        families: dict[str, Any] = {}
        for each in self._source():
            if each.name not in families:
                names = [label for label, _ in each.labels]
                family = CounterMetricFamily if each.counts else GaugeMetricFamily
                families[each.name] = family(f"ecumene_{each.name}", each.help, labels=names)
            families[each.name].add_metric([value for _, value in each.labels], each.value)
        yield from families.values()


def exposition(source: Callable[[], Iterable[Reading]]) -> Callable[[], http.Body]:
    """Returns what answers `/metrics`: our numbers and the process's own."""
    registry = CollectorRegistry()
    registry.register(Readings(source))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return lambda: http.Body(generate_latest(registry), None, KIND, '""', "no-store")
