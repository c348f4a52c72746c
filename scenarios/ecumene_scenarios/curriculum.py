"""Which tasks are practised in how many arenas: those that fare worst get the most.

Source: after Matiisen et al. 2017, Teacher-student curriculum learning; ours goes by what is lacking, not by progress.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

REVISION: Final = 0.1
"""What even a mastered task seems to lack, so that it is practised now and then."""


def allotted(tasks: Sequence[str], arenas: int, success: Mapping[str, float]) -> dict[str, int]:
    """Returns how many arenas each task gets, `arenas` a task on average and at least one each.

    What is left after one each goes, an arena at a time, to the task that lacks most success for each arena that it
    has, the first of equals. So tasks that fared alike get alike.

    Args:
        tasks: Names, all different.
        arenas: On average, at least 1.
        success: Share of tries that succeeded, by task; who is not in it lacks all.
    """
    counts = dict.fromkeys(tasks, 1)
    for _ in range(len(tasks) * (arenas - 1)):
        neediest = max(tasks, key=lambda task: (1 + REVISION - success.get(task, 0.0)) / counts[task])
        counts[neediest] += 1
    return counts
