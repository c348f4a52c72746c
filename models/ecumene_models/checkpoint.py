"""Weights on disk: safetensors with what they are, their sizes and a digest in the header. Nothing is unpickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from ecumene_models.errors import WeightsError
from ecumene_models.fusion import FusionConfig, FusionPolicy
from ecumene_models.recurrent import RecurrentConfig, RecurrentPolicy

SCHEMA: Final = 1
"""Version of the header; a file of another version is refused."""

FUSION, RECURRENT = "fusion-policy", "recurrent-policy"
POLICIES: Final = (FUSION, RECURRENT)
"""Kinds of policies: a version that knows only the first refuses the second by name."""

_KEYS: Final = ("schema", "model", "config", "notes", "sha256")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Verified contents of a weights file.

    Attributes:
        model: What the weights are for, such as "fusion-policy".
        config: Sizes of the network, JSON scalars.
        notes: How it was made: seed, data, steps; free JSON.
        tensors: Parameters and buffers by name, on the CPU.
        sha256: Digest over names, types, shapes and numbers; 64 hex digits.
    """

    model: str
    config: Mapping[str, Any]
    notes: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    sha256: str


def save_policy(policy: FusionPolicy, path: Path, notes: Mapping[str, Any] | None = None) -> str:
    """Writes a policy and returns its digest."""
    model = RECURRENT if isinstance(policy, RecurrentPolicy) else FUSION
    return write(path, policy, model=model, config=policy.config.to_json(), notes=notes)


def load_policy(path: Path) -> FusionPolicy:
    """Reads a policy, in evaluation mode, on the CPU.

    Raises:
        WeightsError: The file is missing, damaged, of another version or model, or its shapes do not fit.
    """
    found = read(path, model=POLICIES)
    try:
        recurrent = found.model == RECURRENT
        policy = (
            RecurrentPolicy(RecurrentConfig(**found.config))
            if recurrent
            else FusionPolicy(FusionConfig(**found.config))
        )
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError):
        sizes = json.dumps(dict(found.config))
        raise WeightsError(f"{path} describes a network that can't be built: {sizes}") from None
    fit(policy, found, path)
    return policy.eval()


def write(
    path: Path, module: nn.Module, *, model: str, config: Mapping[str, Any], notes: Mapping[str, Any] | None = None
) -> str:
    """Writes parameters and buffers of any module with what they are for; returns the digest."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    header = {
        "schema": str(SCHEMA),
        "model": model,
        "config": json.dumps(dict(config), sort_keys=True),
        "notes": json.dumps(dict(notes or {}), sort_keys=True),
    }
    header["sha256"] = _digest(header, tensors)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_ordered(save(tensors, metadata=header)))
    return header["sha256"]


def _ordered(data: bytes) -> bytes:
    """Returns a safetensors file with its metadata in order of key: the library shuffles it anew in each process."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[start:]


def read(path: Path, *, model: str | tuple[str, ...]) -> Checkpoint:
    """Reads and verifies a weights file of that model, or of one of those.

    Raises:
        WeightsError: The file is missing, damaged, of another version, or for another model.
    """
    header, tensors = _open(path)
    missing = [key for key in _KEYS if key not in header]
    if missing:
        raise WeightsError(f"{path} is not one of our weights files: its header lacks {missing[0]!r}")
    if header["schema"] != str(SCHEMA):
        raise WeightsError(f"{path} has weights schema {header['schema']!r}; this version reads schema {SCHEMA}")
    wanted = (model,) if isinstance(model, str) else model
    if header["model"] not in wanted:
        raise WeightsError(f"{path} holds weights of {header['model']!r}, not of {' or '.join(map(repr, wanted))}")
    digest = _digest({key: header[key] for key in _KEYS[:-1]}, tensors)
    if digest != header["sha256"]:
        raise WeightsError(f"{path} is damaged: its digest is {digest[:12]}…, its header says {header['sha256'][:12]}…")
    return Checkpoint(header["model"], json.loads(header["config"]), json.loads(header["notes"]), tensors, digest)


def fit(module: nn.Module, checkpoint: Checkpoint, path: Path) -> None:
    """Copies the tensors of a checkpoint into a module.

    Raises:
        WeightsError: A tensor is missing, left over, or of another shape; the message names it.
    """
    wanted = module.state_dict()
    for name in sorted(wanted.keys() ^ checkpoint.tensors.keys()):
        which = "lacks" if name in wanted else "has an unknown"
        raise WeightsError(f"{path} {which} tensor {name!r}")
    for name, tensor in wanted.items():
        found = checkpoint.tensors[name]
        if found.shape != tensor.shape:
            raise WeightsError(f"{path} has {name!r} of shape {tuple(found.shape)}; {tuple(tensor.shape)} would fit")
    module.load_state_dict(dict(checkpoint.tensors))


def _open(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    if not path.is_file():
        raise WeightsError(f"there are no weights at {path}")
    try:
        with safe_open(str(path), framework="pt") as file:
            return dict(file.metadata() or {}), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is not a readable safetensors file: {error}") from None


def _digest(header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """Returns the SHA-256 over the header and every tensor in order of name."""
    digest = hashlib.sha256(json.dumps(dict(header), sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
