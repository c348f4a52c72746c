"""Tables out of doors: a parasol table with chairs about it."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin

from ecumene_world.generate.builder import Builder, footprint_of
from ecumene_world.pose import Pose


def terrace_table(
    build: Builder,
    pose: Pose,
    *,
    on: Sequence[str],
    parent: str | None = None,
    seed: int = 0,
    chairs: int = 3,
) -> bool:
    """Stands a parasol table with chairs that face it; tells whether the table found room."""
    table = build.stand("parasol_table", pose, on=on, spare_m=0.6, parent=parent)
    if table is None:
        return False
    _, (deep, _) = footprint_of("parasol_table", table.seed)
    for n in range(chairs):
        angle = 2 * pi * n / chairs + pi / 3
        reach = deep / 2 + 0.62
        seat = pose.compose(Pose.at(reach * cos(angle), reach * sin(angle), 0.0, angle + pi))
        chair = build.stand("chair", seat, on=on, spare_m=0.0, parent=parent, seed=seed)
        if chair is not None:
            build.graph.relate(chair.name, "facing", table.name)
    return True
