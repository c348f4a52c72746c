"""A recording replays bit for bit without minds, and says where it would not."""

import json
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
import torch

from ecumene_agents import scripted
from ecumene_scenarios.errors import DivergedError, RecordingError
from ecumene_scenarios.packs.training import Goto
from ecumene_scenarios.record import BLOCK, KEYFRAME, MAGIC, PREFIX, TICKS, Recorder, Tick
from ecumene_scenarios.recording import Recording
from ecumene_scenarios.replay import Replay, verify
from ecumene_scenarios.session import Session
from ecumene_sim import Outcome
from ecumene_sim.frame import Actions, Senses
from ecumene_world.command import AddNode, Command, Despawn, Gesture, Interact, Recompile, Say, Spawn, Steer
from ecumene_world.plain import JSON
from ecumene_world.state import OF_PAIRS, Emote
from ecumene_world.world import World

LENGTH = 620
OLD = Path(__file__).parents[1] / "golden" / "before_pairs.rec"


class Scripted:
    """The scripted controller as minds."""

    def decide(self, senses: Senses) -> Actions:
        return scripted.decide(senses)


class Busy(Goto):
    """A goto arena with room for a visitor."""

    name = "busy"

    def slots(self) -> int:
        return self.population() + 2


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """620 ticks with doors, benches, bumps, a visitor, an edit, talk, joins and leaves."""
    path = tmp_path_factory.mktemp("rec") / "busy.rec"
    outcomes: set[int] = set()
    seen = {"left": 0, "contacts": 0, "spawned": 0}
    with Recorder(path) as recorder:
        session = Session(Busy(least=10, most=14), seed=3, minds=Scripted(), recorder=recorder)
        recorder.start(session.header(), session.snapshot(), session.now)
        for tick in range(LENGTH):
            frame = session.tick(happenings(session, tick))
            outcomes |= set(frame.outcome.flatten().tolist())
            seen["left"] += int(frame.left.sum())
            seen["contacts"] += int((frame.state.contact > 0).any())
            seen["spawned"] += sum(event.name == "spawned" for event in frame.events)
            if recorder.wants_keyframe:
                recorder.keyframe(session.snapshot(), session.now)
        recorder.close(session.world.state)
    assert {int(Outcome.OPENED), int(Outcome.SAT)} <= outcomes, "the run has doors opened and benches sat on"
    assert min(seen.values()) > 3, "and people who bump, leave and join"
    return path


def happenings(session: Session, tick: int) -> Sequence[Command]:
    """What people do: a visitor comes, steers, talks, waves, uses a bench and goes; a builder adds a bin."""
    bin_json: dict[str, JSON] = {"name": "new bin", "kind": "bin", "position": [1.5, 1.0, 0.0]}
    planned: dict[int, list[Command]] = {
        10: [Spawn("visitor:ada", "visitor", title="Ada")],
        30: [
            Say("visitor:ada", "nobody else may read this"),
            Say("visitor:ada", " "),
            Gesture("visitor:ada", Emote.WAVE),
        ],
        60: [Interact("visitor:ada", "bench 0")],
        200: [AddNode(bin_json), Recompile()],
        300: [AddNode({"nonsense": 1})],
        400: [Despawn("visitor:ada")],
    }
    walking = [Steer("visitor:ada", (1.0, 0.2), 0.02 * tick, run=True)] if 12 <= tick < 399 and tick % 3 == 0 else []
    del session
    return [*planned.get(tick, []), *walking]


def test_replay_is_bit_exact(recorded: Path) -> None:
    found = verify(recorded)
    assert found.ticks == LENGTH
    assert found.digests == LENGTH // 20 + 1
    assert found.decisions > LENGTH
    assert found.redecided == 0


def test_a_recording_from_before_two_could_carry_something_replays() -> None:
    """`before_pairs.rec` is `ecumene run hand_over --seed 4 --ticks 200 --minds scripted` of that time."""
    found = Recording.read(OLD)
    assert not OF_PAIRS & snapshot_columns(found.keyframes[0].snapshot)
    assert verify(OLD).ticks == 200


def snapshot_columns(data: bytes) -> set[str]:
    (length,) = struct.unpack_from("<I", data, 38)
    return set(json.loads(data[42 : 42 + length])["state"])


def test_minds_decide_the_same_again(recorded: Path) -> None:
    found = verify(recorded, minds=lambda world: Scripted())
    assert found.redecided == found.decisions
    assert found.differing == 0


def test_other_minds_are_told_apart(recorded: Path) -> None:
    class Stubborn:
        def decide(self, senses: Senses) -> Actions:
            return Actions.from_floats(senses.slots, torch.ones(1, len(senses.slots), 2))

    found = verify(recorded, minds=lambda world: Stubborn())
    assert found.differing > found.decisions // 2
    assert found.first_difference == 0


@pytest.mark.parametrize("wrong", [7, 155])
def test_a_flipped_decision_is_named(recorded: Path, tmp_path: Path, wrong: int) -> None:
    path = tampered(recorded, tmp_path / "flipped.rec", wrong, flipped)
    with pytest.raises(DivergedError) as caught:
        verify(path)
    assert wrong <= caught.value.tick <= wrong + 3
    assert f"tick {caught.value.tick}" in str(caught.value)


def test_a_dropped_command_is_named(recorded: Path, tmp_path: Path) -> None:
    path = tampered(recorded, tmp_path / "dropped.rec", 10, lambda tick: replaced(tick, commands=[]))
    with pytest.raises(DivergedError) as caught:
        verify(path)
    assert caught.value.tick == 10


def test_showing_may_start_at_a_keyframe(recorded: Path) -> None:
    recording = Recording.read(recorded)
    assert [keyframe.tick for keyframe in recording.keyframes] == [0, 600]
    replay = Replay(recording, keyframe=1)
    while not replay.done:
        replay.step()
    assert replay.position == LENGTH


def test_chat_is_kept_only_when_asked(recorded: Path, tmp_path: Path) -> None:
    texts = [
        record["text"]
        for tick in Recording.read(recorded).ticks
        for record in tick.commands
        if record["command"] == "say"
    ]
    assert texts == ["·" * 25]
    path = tmp_path / "chat.rec"
    with Recorder(path, keep_chat=True) as recorder:
        session = Session(Busy(least=1, most=1), seed=3, recorder=recorder)
        recorder.start(session.header(), session.snapshot(), session.now)
        session.tick([Spawn("visitor:ada", "visitor")])
        session.tick([Say("visitor:ada", "read me")])
        recorder.close(session.world.state)
    assert b"read me" in msgspec.msgpack.encode(Recording.read(path).ticks)


@pytest.mark.parametrize("where", [0, 5, 40, 3000, -300, -10])
def test_damage_is_one_sentence(recorded: Path, tmp_path: Path, where: int) -> None:
    data = bytearray(recorded.read_bytes())
    data[where] ^= 0x55
    path = tmp_path / "damaged.rec"
    path.write_bytes(data)
    with pytest.raises((RecordingError, DivergedError)) as caught:
        verify(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keep", [0, 6, 30, 0.3, 0.9, 0.999])
def test_a_cut_off_file_is_one_sentence(recorded: Path, tmp_path: Path, keep: float) -> None:
    data = recorded.read_bytes()
    path = tmp_path / "cut.rec"
    path.write_bytes(data[: int(keep * len(data)) if keep < 1 else int(keep)])
    with pytest.raises(RecordingError) as caught:
        verify(path)
    assert "cut.rec" in str(caught.value)


def test_a_recorder_that_is_interrupted_leaves_a_file_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "torn.rec"
    with suppress(KeyboardInterrupt), Recorder(path) as recorder:
        session = Session(Busy(least=1, most=1), seed=3, recorder=recorder)
        recorder.start(session.header(), session.snapshot(), session.now)
        session.tick()
        raise KeyboardInterrupt
    with pytest.raises(RecordingError, match="cut off after 1 ticks"):
        Recording.read(path)


def test_foreign_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "x.rec").write_text("hello, this is no recording at all")
    with pytest.raises(RecordingError, match="is not an Ecumene recording"):
        Recording.read(tmp_path / "x.rec")
    with pytest.raises(RecordingError, match="can't be read"):
        Recording.read(tmp_path / "gone.rec")


def test_the_header_says_what_it_needs(recorded: Path) -> None:
    header = Recording.read(recorded).header
    assert header["scenario"] == "busy"
    assert header["seed"] == 3
    assert header["threads"] == torch.get_num_threads()
    assert len(header["layout"]) == 64
    start = len(MAGIC) + PREFIX.size
    length, _ = PREFIX.unpack_from(recorded.read_bytes(), len(MAGIC))
    assert json.loads(recorded.read_bytes()[start : start + length]) == header


def replaced(tick: Tick, **changes: object) -> Tick:
    return msgspec.structs.replace(tick, **changes)


def flipped(tick: Tick) -> Tick:
    """One decision turned round."""
    raw = bytearray(tick.raw)
    raw[0], raw[1] = (raw[0] + 128) % 256, (raw[1] + 128) % 256
    return replaced(tick, raw=bytes(raw))


def tampered(source: Path, target: Path, wrong: int, change) -> Path:  # type: ignore[no-untyped-def]
    """Writes a copy whose checksums are right but whose tick `wrong` is changed."""
    recording = Recording.read(source)
    with Recorder(target) as recorder:
        recorder.start(recording.header, recording.keyframes[0].snapshot, 0)
        for tick in recording.ticks:
            recorder._pending.append(change(tick) if tick.tick == wrong else tick)
            recorder._ticks += 1
        recorder._block(TICKS, 0, msgspec.msgpack.encode(recorder._pending))
        recorder._pending.clear()
        end = msgspec.msgpack.encode([recorder._ticks, recording.digest])
        recorder._block(3, 0, end)
        recorder._file.close()
    assert BLOCK.size
    assert KEYFRAME
    return target


def test_restored_sessions_go_on_as_if_nothing_had_happened() -> None:
    from ecumene_scenarios.record import digest_of
    from ecumene_scenarios.session import restored

    session = Session(Busy(least=5, most=8), seed=5, minds=Scripted())
    for _ in range(40):
        session.tick()
    twin = restored(session.snapshot(), Busy(least=5, most=8), seed=5, minds=Scripted())
    twins: list[World] = []
    for one in (session, twin):
        for _ in range(60):
            one.tick()
        twins.append(one.world)
    assert digest_of(twins[0].state) == digest_of(twins[1].state)
    assert twins[0].avatars.keys() == twins[1].avatars.keys()
