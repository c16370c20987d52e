"""What holds for the code as a whole: its arrows point one way, and no file knows a machine."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

from sim.kernels import LAYOUT, READ
from sim.processes.lifecycle import become_ai

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted((ROOT / "sim").rglob("*.py"))
}

# Modules and rooms from top to bottom. A module imports from layers below its own, and from its
# own room; modules of one layer do not know each other.
LAYERS = (
    ("__main__",),
    ("cli",),
    ("dashboard",),
    ("report",),
    ("analysis",),
    ("montecarlo", "cluster"),
    ("runner", "store", "executors"),
    ("model",),
    ("processes",),
    ("firms", "parks", "departments", "zones"),
    ("agents",),
    ("blueprint", "parameters"),
    ("scenario",),
    ("economy", "posterior"),
    ("plan",),
    ("files", "figures", "months"),
    ("validation", "draws", "seal"),
    ("kernels",),
    ("errors",),
    ("text", "stopping", "addresses"),
)
LEVEL = {name: level for level, layer in enumerate(LAYERS) for name in layer}

# What one process may take from another: a name and a formula, nothing that acts.
SHARED: set[tuple[str, str, str]] = set()

# Written so that this file does not find itself.
REGISTRY = re.compile(
    r"pypi[.]org|python(?:hosted)[.]org|npmjs[.]org|anaconda[.]org|\bmirrors?[.][a-z0-9-]+[.][a-z]"
)
MACHINE = re.compile(r"(?<![\w.)/])/(?:home|root|work|tmp|mnt|opt|srv|Users|usr/local)/|[A-Z]:\\\w")


def imports(name: str) -> Iterator[tuple[str, str]]:
    """What a module imports of this package, as (module, name); for type checkers alone aside."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    aside = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and ast.unparse(test.test) == "TYPE_CHECKING"
        for statement in test.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in aside:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}, line {node.lineno}: a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in MODULES:
                    yield inner, ""
                elif node.module in MODULES:
                    yield node.module, alias.name


def room(module: str) -> str:
    """The layer's name of a module: ``sim.report.charts`` lies in ``report``."""
    return module.split(".")[1]


# All but the package itself and what starts the command.
INNER = [name for name in MODULES if name not in ("sim", "sim.__main__")]


def test_every_module_has_its_layer() -> None:
    assert {room(name) for name in INNER} <= set(LEVEL)


@pytest.mark.parametrize("name", INNER, ids=lambda name: name.removeprefix("sim."))
def test_a_module_imports_only_from_below(name: str) -> None:
    wrong = [
        target
        for target, _ in imports(name)
        if target != "sim"  # the version alone lies there
        and room(target) != room(name)
        and LEVEL[room(target)] <= LEVEL[room(name)]
    ]
    assert not wrong


def test_no_two_modules_need_each_other() -> None:
    graph = {name: {target for target, _ in imports(name)} - {name} for name in INNER}
    TopologicalSorter(graph).prepare()


def test_processes_do_not_import_each_other() -> None:
    found = {
        (name.split(".")[-1], target.split(".")[-1], word)
        for name in INNER
        if name.startswith("sim.processes.")
        for target, word in imports(name)
        if target.startswith("sim.processes")
    }
    assert found <= SHARED


def test_each_process_is_stepped_once_a_month() -> None:
    tree = ast.parse(MODULES["sim.model"].read_text(encoding="utf-8"))
    district = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "District")
    step = next(n for n in district.body if isinstance(n, ast.FunctionDef) and n.name == "step")
    stepped = [
        node.func.value.id
        for node in ast.walk(step)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "step"
        and isinstance(node.func.value, ast.Name)
    ]
    processes = [n.split(".")[-1] for n in INNER if n.startswith("sim.processes.")]
    assert sorted(stepped) == sorted(processes)


def test_the_program_knows_nothing_of_what_stands_beside_it() -> None:
    beside = {"calibration", "notebooks", "scenarios", "tests"}
    for name, file in MODULES.items():
        if name == "sim.cli.calibrate":  # a subcommand of what stands beside
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            words = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            words += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not beside & {word.split(".")[0] for word in words}, name


def test_nothing_prints() -> None:
    found = [
        f"{name}, line {node.lineno}"
        for name, file in MODULES.items()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert not found


def project_files() -> list[Path]:
    """The files that git keeps or would keep; all but those of the environment without git."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        kept = (file for file in ROOT.rglob("*") if not hidden(file) and file.is_file())
        return sorted(kept)
    return [file for name in done.stdout.split("\0") if name and (file := ROOT / name).is_file()]


def hidden(file: Path) -> bool:
    parts = file.relative_to(ROOT).parts
    own = (".ci", ".gitignore")
    return any(part == "out" or (part.startswith(".") and part not in own) for part in parts)


def test_no_file_names_a_registry_or_a_place_on_somebody_s_machine() -> None:
    found = []
    for file in project_files():
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # fonts and pictures
            continue
        lines = enumerate(text.splitlines(), start=1)
        found += [
            f"{file.relative_to(ROOT)}, line {number}: {line.strip()[:100]}"
            for number, line in lines
            if REGISTRY.search(line) or MACHINE.search(line)
        ]
    assert not found


@pytest.mark.parametrize(
    "line", ["cd /ho" + "me/ann/x", "'/tm" + "p/out'", "https://py" + "pi.org/"]
)
def test_the_check_of_files_sees_what_it_looks_for(line: str) -> None:
    assert REGISTRY.search(line) or MACHINE.search(line)


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"])
def test_a_reader_finds_the_pages_that_every_project_has(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert len(text) > 500


def test_the_guide_shows_the_arrows_as_they_are() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = next(line for line in guide.splitlines() if "→ cli →" in line)
    layers = [layer.strip(" .").split(", ") for layer in shown.split("→")]
    assert layers == [list(layer) for layer in LAYERS]
    assert all(set(one).isdisjoint(other) for one, other in pairwise(layers))


def kernels() -> Iterator[tuple[str, ast.FunctionDef, set[str]]]:
    """Each kernel with its module, and what else its module defines or takes from elsewhere."""
    for name, file in MODULES.items():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        foreign = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sim.")
            for alias in node.names
        }
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and any(
                ast.unparse(decorator) == "kernel" for decorator in node.decorator_list
            ):
                yield name, node, foreign


def test_a_kernel_calls_nothing_of_another_file() -> None:
    """What is compiled is kept until its own file changes, whatever happens to others."""
    found = list(kernels())
    assert len(found) > 40
    for name, function, foreign in found:
        called = {
            node.func.id
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & foreign, f"{name}.{function.name}"


def test_what_kernels_take_from_other_files_as_numbers_is_part_of_what_they_are_kept_by() -> None:
    read = {f"sim.{Path(file).stem}" for file in READ}
    for name in {module for module, _, _ in kernels()}:
        for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sim."):
                numbers = [a.name for a in node.names if a.name.isupper() and a.name[:3] != "BY_"]
                assert not numbers or node.module in read, f"{name}: {numbers} of {node.module}"
    assert LAYOUT in become_ai._cache._cache_file._known
