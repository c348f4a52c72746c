"""The house keeps its plan: one package a folder, one straight import chain, every library in its own room."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "models": "ecumene_models",
    "world": "ecumene_world",
    "sim": "ecumene_sim",
    "agents": "ecumene_agents",
    "scenarios": "ecumene_scenarios",
    "server": "ecumene_server",
}
CORE = ("models", "world", "sim", "agents")
CORE_LIBRARIES = {"torch", "numpy", "scipy", "networkx", "safetensors"}
OPTIONAL_IN_WORLD = {"shapely", "osmium", "laspy"}
CLOCKS_AND_SOCKETS = {"asyncio", "time", "socket", "websockets", "aiomqtt", "sqlalchemy", "alembic", "uvloop"}
CLOCKS_AND_SOCKETS |= {"datetime", "http", "select", "selectors", "socketserver", "ssl", "urllib"}
ELSEWHERE = (
    "msgspec",
    "pettingzoo",
    "gymnasium",
    "websockets",
    "sqlalchemy",
    "yaml",
    "rich",
    "aiomqtt",
    "PIL",
    "shapely",
)
FORBIDDEN_CALLS = {"empty": "numpy", "empty_like": "numpy", "load": "torch"}


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder / PACKAGES[folder]).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yields (top-level name, whether imported when the module loads)."""
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = {node for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for name in names:
            yield name.split(".")[0], node not in inside


def third_party(path: Path) -> Iterator[tuple[str, bool]]:
    return ((n, top) for n, top in imports(path) if n not in sys.stdlib_module_names and not n.startswith("ecumene_"))


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_top_folder_holds_its_package_and_nothing_else(folder: str) -> None:
    held = {p.name for p in (ROOT / folder).iterdir() if p.name != "__pycache__" and not p.name.startswith(".")}
    assert held == {PACKAGES[folder]}


def test_imports_go_down_one_chain() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", CORE)
def test_core_needs_five_libraries_only(folder: str) -> None:
    for path in sources(folder):
        for name, at_load in third_party(path):
            optional = folder == "world" and name in OPTIONAL_IN_WORLD and not at_load
            assert name in CORE_LIBRARIES or optional, f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("folder", [f for f in PACKAGES if f != "server"])
def test_clocks_and_sockets_live_in_the_server(folder: str) -> None:
    for path in sources(folder):
        used = {name for name, _ in imports(path)} & CLOCKS_AND_SOCKETS
        assert not used, f"{path.relative_to(ROOT)} imports {', '.join(sorted(used))}"


def test_networkx_lives_in_the_world() -> None:
    files = [path for folder in PACKAGES for path in sources(folder)]
    users = {path.relative_to(ROOT).parts[0] for path in files if "networkx" in {name for name, _ in imports(path)}}
    assert users == {"world"}


def test_pettingzoo_lives_in_the_environment() -> None:
    files = {f"{path.stem}.py": {name for name, _ in imports(path)} for path in sources("scenarios")}
    assert {name for name, used in files.items() if "pettingzoo" in used} == {"env.py"}
    assert {name for name, used in files.items() if "gymnasium" in used} == {"env.py", "spaces.py"}
    for folder in set(PACKAGES) - {"scenarios"}:
        assert not any({"pettingzoo", "gymnasium"} & {name for name, _ in imports(path)} for path in sources(folder))


def test_no_pickle_and_no_uninitialised_arrays() -> None:
    for folder in PACKAGES:
        for path in sources(folder):
            tree = ast.parse(path.read_text())
            assert "pickle" not in {name for name, _ in imports(path)}, f"{path} imports pickle"
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    owner = {"np": "numpy"}.get(node.value.id, node.value.id)
                    banned = FORBIDDEN_CALLS.get(node.attr) == owner
                    assert not banned, f"{path.relative_to(ROOT)}:{node.lineno} uses {owner}.{node.attr}"


def test_core_imports_with_five_libraries_present() -> None:
    """What a machine with torch, numpy, scipy, networkx and safetensors alone would see."""
    program = f"""
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {ELSEWHERE!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Without())
import ecumene_models, ecumene_world, ecumene_sim, ecumene_agents
import pkgutil, importlib
for package in (ecumene_models, ecumene_world, ecumene_sim, ecumene_agents):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
