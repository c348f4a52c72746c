"""Districts: something generated, put beside what a world has and joined to its streets, checked as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from ecumene_world.branch import Branch
from ecumene_world.errors import GraphError
from ecumene_world.extend.district import District
from ecumene_world.extend.joining import branch_of
from ecumene_world.extend.land import Land
from ecumene_world.extend.plot import WAY_M, Plot, plots
from ecumene_world.gate.repair import inspect, measured
from ecumene_world.gate.report import Check, Report
from ecumene_world.gate.scene import Scene
from ecumene_world.generate import generated
from ecumene_world.graph import MAX_NODES, ROOT, SceneGraph
from ecumene_world.layout import Layout, compile_layout

__all__ = ["District", "Extension", "extension"]

Progress = Callable[[str, float], None]
"""Told what is being done and how much of the whole is done, 0..1."""
PLOTS: Final = 3
"""Places that are tried before it is given up."""


@dataclass(frozen=True, slots=True)
class Extension:
    """A district that can be put into a world, and the world as it then is.

    Attributes:
        branch: The district, with the way that leads to it.
        graph: The whole world with it.
        layout: It, compiled.
        report: What the gate says of the whole.
        plot: Where the district lies.
    """

    branch: Branch
    graph: SceneGraph
    layout: Layout
    report: Report
    plot: Plot


def extension(
    graph: SceneGraph,
    district: District,
    *,
    layout: Layout | None = None,
    cell_m: float | None = None,
    progress: Progress = lambda _doing, _share: None,
) -> Extension:
    """Returns a district that fits into a world, on a free plot and with a way to the nearest street.

    The gate judges the whole: what can be walked, reached and entered must be as much as it asks for. The graph itself
    is left as it is, and the same arguments give the same district.

    Args:
        graph: The world as it is.
        district: What is asked for.
        layout: The world as it is, compiled with `cell_m`; saves compiling it.
        cell_m: As `compile_layout` takes it.
        progress: Called as the work goes on.

    Raises:
        RequestError: The district is not one that can be had, or there is no room for it where it is wanted.
        GraphError: It could not be made, joined or compiled.
    """
    district.check()
    made = generated(
        district.kind,
        district.seed,
        tags=district.tags,
        size_m=district.size_m,
        progress=lambda doing, share: progress(doing, 0.4 * share),
    )
    if not made.report.ok:
        raise GraphError(f"{district.kind} {district.seed} did not pass the gate; try another seed")
    if len(graph) + len(made.graph) > MAX_NODES:
        room = f"the world has {len(graph)} and may have {MAX_NODES}"
        raise GraphError(f"{district.kind} {district.seed} has {len(made.graph)} nodes, which do not fit: {room}")
    progress("looking for a place", 0.4)
    before = layout if layout is not None else compile_layout(graph, cell_m=cell_m)
    reach = max(Land.extents(made.graph))
    land = Land.of(graph, before, margin_m=reach + (WAY_M if district.at is not None else reach / 2 + 20.0))
    found = islice(plots(land, made.graph, made.layout, district.at), PLOTS)
    return _joined(graph, district, made.graph, found, cell_m, progress)


def _joined(
    graph: SceneGraph,
    district: District,
    made: SceneGraph,
    found: Iterator[Plot],
    cell_m: float | None,
    progress: Progress,
) -> Extension:
    """Returns the first of the plots on which the whole passes the gate."""
    failed = ""
    for number, plot in enumerate(found):
        branch = branch_of(made, plot, graph)
        whole = graph.copy()
        branch.graft(whole, ROOT)
        progress("joining it to the streets", 0.45 + 0.15 * number)
        layout = compile_layout(whole, cell_m=cell_m)
        progress("checking the whole", 0.75 + 0.05 * number)
        report = measured(Scene(whole, layout))
        failed = _worse(report, graph)
        if not failed:
            progress("ready to be put in", 0.9)
            return Extension(branch, whole, layout, report, plot)
    raise GraphError(f"{district.kind} {district.seed} can't be joined: with it, the world fails the gate ({failed})")


def _worse(report: Report, before: SceneGraph) -> str:
    """Returns the names of checks that fail now and did not fail so before, "" for none."""
    if report.ok:
        return ""
    known = inspect(before)
    return ", ".join(name for name in report.failed if _fell(report.checks[name], known.checks[name]))


def _fell(now: Check, then: Check) -> bool:
    """Tells whether a check that fails now did not fail before, or not as badly."""
    return then.ok or (now.value < then.value if now.at_least else now.value > then.value)
