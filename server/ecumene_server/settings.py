"""What a server is told: defaults, then a TOML file, then ECUMENE_* variables, then the command line."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, get_type_hints

from ecumene_server.errors import UsageError
from ecumene_server.topics import Broker

PREFIX: Final = "ECUMENE_"
CONFIG_VARIABLE: Final = "ECUMENE_CONFIG"
DEFAULT_CONFIG: Final = Path("ecumene.toml")
MINDS: Final = ("fusion", "scripted", "none")
ROLES: Final = ("visitor", "builder")
_OURS_ELSEWHERE: Final = frozenset({"ECUMENE_CONFIG", "ECUMENE_DATA", "ECUMENE_TOKEN"})


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of `ecumene serve`.

    Attributes:
        world: Name, kind or file of the world; "" opens a town made from the seed.
        host: Address to listen on; "0.0.0.0" for the whole network.
        port: TCP port; 0 picks a free one.
        npcs: How many NPCs live there; -1 leaves it to the world.
        visitors: Most avatars of visitors at a time.
        seed: Of generated worlds and their people.
        db: Database URL; "" keeps SQLite under `worlds`.
        folder: Where worlds are kept.
        weights: File of trained weights, or the folder it is in; "" takes the shipped ones.
        adapters: Folder of `ROLE.safetensors`, adapters that NPCs of these roles wear, and of `while-VERB.safetensors`,
            which all wear who intend that; "" for none.
        device: Where tensors are: cpu or cuda.
        minds: Who decides for NPCs: fusion, scripted or none.
        browser: Whether to open the page in a browser.
        mqtt: Broker URL, `mqtt://user:password@host:port/prefix`, or `mqtts://` for TLS; "" for none.
        mqtt_ca: File of certificates that the broker's is checked against; "" for those of the system.
        keep_chat: Whether what visitors say is stored.
        record: File that all ticks are recorded to, for `ecumene replay`; "" for none.
        open_as: What everybody may do: visitor, or builder to let all edit.
        snapshot_s: Seconds between snapshots.
        budget_kb: Most kilobytes of positions a client gets each second.
    """

    world: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    npcs: int = -1
    visitors: int = 128
    seed: int = 0
    db: str = ""
    folder: str = "worlds"
    weights: str = ""
    adapters: str = ""
    device: str = "cpu"
    minds: str = "fusion"
    browser: bool = True
    mqtt: str = ""
    mqtt_ca: str = ""
    keep_chat: bool = False
    record: str = ""
    open_as: str = "visitor"
    snapshot_s: float = 60.0
    budget_kb: int = 320

    def check(self) -> None:
        """Passes settings that make sense.

        Raises:
            UsageError: One does not; the sentence names it.
        """
        _require(0 <= self.port <= 65_535, f"port {self.port} is not within 0 and 65535")
        _require(-1 <= self.npcs <= 20_000, f"npcs {self.npcs} is not within 0 and 20000")
        _require(1 <= self.visitors <= 2_000, f"visitors {self.visitors} is not within 1 and 2000")
        _require(self.minds in MINDS, f"minds {self.minds!r} is none of {', '.join(MINDS)}")
        _require(not self.adapters or self.minds == "fusion", f"minds {self.minds!r} wear no adapters; fusion would do")
        _require(self.open_as in ROLES, f"open_as {self.open_as!r} is none of {', '.join(ROLES)}")
        _require(self.snapshot_s >= 1, f"snapshot_s {self.snapshot_s} is less than 1")
        _require(self.budget_kb >= 16, f"budget_kb {self.budget_kb} is less than 16")
        _require(self.device.split(":")[0] in ("cpu", "cuda"), f"device {self.device!r} is neither cpu nor cuda")
        if self.mqtt:
            Broker.of(self.mqtt, self.mqtt_ca)


def load(given: Mapping[str, Any], *, config: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Returns the settings of this start.

    Args:
        given: What the command line says, by field name.
        config: A TOML file; by default $ECUMENE_CONFIG, or `ecumene.toml` if it is there.
        env: The environment.

    Raises:
        UsageError: A source names an unknown setting or a value of the wrong type.
    """
    env = os.environ if env is None else env
    values = {**_from_toml(_config_path(config, env)), **_from_env(env), **given}
    settings = replace(Settings(), **values)
    settings.check()
    return settings


def names() -> tuple[str, ...]:
    """Returns the names of all settings."""
    return tuple(field.name for field in fields(Settings))


def _config_path(config: Path | None, env: Mapping[str, str]) -> Path | None:
    if config is not None:
        return config
    if CONFIG_VARIABLE in env:
        return Path(env[CONFIG_VARIABLE])
    return DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None


def _from_toml(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the settings file {str(path)!r} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"the settings file {str(path)!r} is no TOML: {error}") from error
    return {_known(key, str(path)): _typed(key, value, str(path)) for key, value in raw.items()}


def _from_env(env: Mapping[str, str]) -> dict[str, Any]:
    ours = {k: v for k, v in env.items() if k.startswith(PREFIX) and k not in _OURS_ELSEWHERE}
    names = {variable: variable.removeprefix(PREFIX).lower() for variable in ours}
    return {
        _known(names[variable], variable): _parsed(names[variable], text, variable) for variable, text in ours.items()
    }


def _types() -> dict[str, type]:
    return get_type_hints(Settings)


def _known(name: str, source: str) -> str:
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(names())}"
        raise UsageError(f"{source} names {name!r}, which is no setting{hint}")
    return name


def _typed(name: str, value: Any, source: str) -> Any:
    wanted = _types()[name]
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise UsageError(f"{source} sets {name} to {value!r}; a {_word(wanted)} is expected")
    return value


def _parsed(name: str, text: str, source: str) -> Any:
    wanted = _types()[name]
    try:
        if wanted is bool:
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]
        return wanted(text)
    except (ValueError, KeyError):
        raise UsageError(f"{source} is {text!r}; a {_word(wanted)} is expected") from None


def _word(wanted: type) -> str:
    return {int: "whole number", float: "number", bool: "yes or no", str: "text"}[wanted]


def _require(condition: object, sentence: str) -> None:
    if not condition:
        raise UsageError(sentence)
