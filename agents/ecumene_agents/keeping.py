"""The slow minds as bytes, for snapshots: what they remember, are about and work at. Who else they are follows anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import asdict, replace
from typing import Any

from ecumene_agents.errors import MindMemoryError
from ecumene_agents.memory import Memory
from ecumene_agents.mind import Aim, Favour, Mind, Stage, Talk
from ecumene_agents.schedule import Activity
from ecumene_world.state import Verb


def packed(minds: Mapping[str, Mind]) -> bytes:
    """Returns minds by avatar key as bytes."""
    return json.dumps({key: _record(mind) for key, mind in minds.items()}).encode()


def unpacked(data: bytes, make: Callable[[str], Mind], here: Container[str], *, keeps_speech: bool) -> dict[str, Mind]:
    """Returns the minds of `packed` that belong to avatars that are here.

    Args:
        data: The bytes.
        make: Makes the mind of a key anew.
        here: Keys of the avatars in the world.
        keeps_speech: Whether words that were kept may stay.

    Raises:
        MindMemoryError: The bytes are no such minds.
    """
    try:
        records = json.loads(data)
        return {key: _restored(make(key), record, keeps_speech) for key, record in records.items() if key in here}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MindMemoryError(f"the minds' memory in a snapshot is damaged: {error}") from error


def without_strangers(data: bytes, here: Container[str]) -> bytes:
    """Returns the minds of `packed` that are here, knowing of nobody else and of no word that was said.

    Args:
        data: The bytes.
        here: Keys of those who may be remembered.

    Raises:
        MindMemoryError: The bytes are no such minds.
    """
    try:
        records = json.loads(data)
        kept = {key: _estranged(record, here) for key, record in records.items() if key in here}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MindMemoryError(f"the minds' memory in a snapshot is damaged: {error}") from error
    return json.dumps(kept).encode()


def _estranged(record: Mapping[str, Any], here: Container[str]) -> dict[str, Any]:
    memory, aim, favour, talk, sent = (record[name] for name in ("memory", "aim", "favour", "talk", "sent"))
    episodes = [each | {"text": ""} for each in memory["episodes"] if not each["who"] or each["who"] in here]
    people = {key: known for key, known in memory["people"].items() if key in here}
    return {
        **record,
        "memory": {**memory, "episodes": episodes, "people": people},
        "aim": aim if aim is None or not aim["person"] or aim["person"] in here else None,
        "favour": favour if favour is None or favour["who"] in here else None,
        "talk": talk if talk is None or talk["partner"] in here else None,
        "sent": sent if not sent or sent[2] is None or sent[2] in here else [],
    }


def _record(mind: Mind) -> dict[str, Any]:
    aim = None if mind.aim is None else asdict(mind.aim)
    if aim is not None:
        aim |= {"activity": aim["activity"].value, "stage": aim["stage"].value}
    return {
        "memory": mind.memory.to_json(),
        "aim": aim,
        "favour": None if mind.favour is None else asdict(mind.favour),
        "talk": None if mind.talk is None else asdict(mind.talk),
        "spoke": mind.spoke,
        "best_m": mind.best_m,
        "progress": mind.progress,
        "anchor": mind.anchor,
        "aside": mind.aside,
        "until": mind.until,
        "sent": mind.sent,
        "work": mind.persona.work,
    }


def _restored(mind: Mind, record: Mapping[str, Any], keeps_speech: bool) -> Mind:
    mind.persona = replace(mind.persona, work=int(record.get("work", mind.persona.work)))
    mind.memory = Memory.from_json(record["memory"], keeps_speech=keeps_speech)
    mind.aim = None if record["aim"] is None else _aim(record["aim"])
    favour, talk = record["favour"], record["talk"]
    mind.favour = None if favour is None else Favour(**{**favour, "verb": Verb(favour["verb"])})
    mind.talk = None if talk is None else Talk(**talk)
    mind.spoke, mind.best_m, mind.progress = int(record["spoke"]), float(record["best_m"]), int(record["progress"])
    x, y = record.get("anchor", mind.anchor)
    mind.anchor = float(x), float(y)
    aside = record.get("aside")
    mind.aside, mind.until = None if aside is None else (aside[0], aside[1], aside[2]), int(record.get("until", 0))
    sent = record["sent"]
    mind.sent = (Verb(sent[0]), sent[1], sent[2], None if sent[3] is None else tuple(sent[3])) if sent else ()
    return mind


def _aim(record: Mapping[str, Any]) -> Aim:
    point = record["point"]
    return Aim(
        **{
            **record,
            "activity": Activity(record["activity"]),
            "verb": Verb(record["verb"]),
            "stage": Stage(record["stage"]),
            "point": None if point is None else (point[0], point[1], point[2]),
        }
    )
