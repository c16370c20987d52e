"""Chance has one source, and each draw has its own place in it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from sim.draws import MONTH_STRIDE, Draws, Floats, parameter_uniforms
from sim.model import District
from sim.runner import Runner
from sim.scenario import read_scenario

SIM = Path(__file__).parents[1] / "sim"
SOURCES = sorted(SIM.rglob("*.py"))
BEYOND_RUNS = ("analysis", "cli", "dashboard", "report")  # what asks for runs, or reads them
OF_RUNS = [file for file in SOURCES if file.relative_to(SIM).parts[0] not in BEYOND_RUNS]
KINDS = ("uniform", "normal", "laplace")
METHODS = (*KINDS, "of_slots")
MANY = 200_000

# A module, a function or a method that draws by itself, or whose result differs between processes.
OTHER_CHANCE = {
    "random",
    "rng",
    "rvs",
    "secrets",
    "urandom",
    "uuid",
    "uuid1",
    "uuid4",
    "shuffle",
    "shuffle_do",
    "hash",
}


def nodes(file: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(file.read_text(encoding="utf-8")))


def words(node: ast.AST) -> set[str]:
    """The names that a piece of code imports, reads or calls."""
    if isinstance(node, ast.Import):
        return {part for alias in node.names for part in alias.name.split(".")}
    if isinstance(node, ast.ImportFrom):
        imported = {part for alias in node.names for part in alias.name.split(".")}
        return imported | set((node.module or "").split("."))
    if isinstance(node, ast.Attribute):
        return {node.attr}
    return {node.id} if isinstance(node, ast.Name) else set()


def is_set(node: ast.AST) -> bool:
    """Whether it is a set by its looks: a literal, a comprehension, set(…), or made from these."""
    if isinstance(node, ast.BinOp):
        return is_set(node.left) or is_set(node.right)
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return isinstance(node, ast.Set | ast.SetComp) or (
        called and node.func.id in ("set", "frozenset")
    )


def walked_sets(tree_nodes: Iterator[ast.AST]) -> list[int]:
    """The lines in which a set is gone through in whatever order it has."""
    lines = []
    for node in tree_nodes:
        if isinstance(node, ast.For | ast.comprehension) and is_set(node.iter):
            lines.append(node.iter.lineno)
        ordering = ("list", "tuple", "enumerate", "iter", "zip", "map", "sum", "fsum")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in (*ordering, "array", "fromiter", "join") and any(map(is_set, node.args)):
                lines.append(node.lineno)
    return lines


def test_only_the_draws_hold_chance() -> None:
    found = {
        f"{file.name}:{node.lineno}: {word}"
        for file in OF_RUNS
        for node in nodes(file)
        for word in words(node) & OTHER_CHANCE
    }
    assert any(place.startswith("draws.py") for place in found)
    assert not [place for place in sorted(found) if not place.startswith("draws.py")]


def generators(tree: Iterable[ast.AST]) -> Iterator[tuple[str, bool]]:
    """What of ``np.random`` is used, and whether it is a generator made with a seed."""
    found = list(tree)
    calls = {id(node.func): node for node in found if isinstance(node, ast.Call)}
    for node in found:
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np.random":
            call = calls.get(id(node))
            is_type = node.attr == "Generator" and call is None
            yield node.attr, is_type or (node.attr == "default_rng" and call and bool(call.args))


def test_analyses_resample_with_seeded_generators_alone() -> None:
    used = [(f.name, *found) for f in SOURCES if f not in OF_RUNS for found in generators(nodes(f))]
    assert used
    assert not [(file, name) for file, name, seeded in used if not seeded]
    wrong = "np.random.rand(3)\nnp.random.default_rng()\nnp.random.default_rng(2)"
    assert [bool(seeded) for _, seeded in generators(ast.walk(ast.parse(wrong)))].count(True) == 1


def test_no_result_can_hang_on_the_order_of_a_set() -> None:
    assert not [f"{file.name}:{line}" for file in SOURCES for line in walked_sets(nodes(file))]


def test_the_check_of_sets_sees_them_and_lets_sorted_ones_pass() -> None:
    code = "for a in {1, 2}: pass\n[b for b in set(x) - y]\nlist(frozenset(z))\nsorted(set(x))"
    assert sorted(walked_sets(ast.walk(ast.parse(code)))) == [1, 2, 3]


class NotedDraws(Draws):
    """Draws that keep a list of what is asked of them."""

    def __init__(self, seed: int, run: int) -> None:
        super().__init__(seed, run)
        self.asked: list[tuple[str, int]] = []

    def uniform(self, mechanism: str, month: int, *size: Any) -> Floats:
        self.asked.append((mechanism, month))
        return super().uniform(mechanism, month, *size)

    def of_slots(self, mechanism: str, month: int, *size: Any) -> Floats:
        self.asked.append((mechanism, month))
        return super().of_slots(mechanism, month, *size)

    def normal(self, mechanism: str, month: int, *size: Any) -> Floats:
        self.asked.append((mechanism, month))
        return super().normal(mechanism, month, *size)


@pytest.fixture(scope="module")
def asked(real: Runner) -> list[tuple[str, int]]:
    """Every draw of one run, by mechanism and month."""
    table, draws = real.parameters, NotedDraws(1, 0)
    District(real.blueprint, table.arranged(table.draw(1, 0)), draws).run()
    return draws.asked


def names_in_code() -> tuple[set[str], set[str]]:
    """The mechanisms that the model names whole, and the beginnings of those it puts together."""
    whole, beginnings = set(), set()
    for file in OF_RUNS:
        for node in nodes(file):
            is_draw = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if not is_draw or node.func.attr not in METHODS or file.name == "draws.py":
                continue
            name = node.args[0]
            if isinstance(name, ast.JoinedStr):
                beginnings.add(ast.literal_eval(name.values[0]))
            else:
                whole.add(ast.literal_eval(name))  # fails on a name that is put together elsewhere
    return whole, beginnings


def test_no_two_mechanisms_draw_from_the_same_place(asked: list[tuple[str, int]]) -> None:
    twice = [place for place, times in Counter(asked).items() if times > 1]
    assert not twice


def test_every_mechanism_named_in_the_code_draws_in_a_run(asked: list[tuple[str, int]]) -> None:
    whole, beginnings = names_in_code()
    used = {mechanism for mechanism, _ in asked}
    assert whole <= used
    assert len(whole) > 10
    rest = used - whole
    assert all(any(name.startswith(start) for start in beginnings) for name in rest)


def test_streams_of_mechanisms_and_parameters_have_different_keys(
    real: Runner, asked: list[tuple[str, int]]
) -> None:
    names = {mechanism for mechanism, _ in asked} | names_in_code()[0]
    names |= {f"parameter {name}" for name in real.parameters.draw_names}
    keys = Counter(crc32(name.encode()) for name in names)
    assert max(keys.values()) == 1


def test_a_shock_has_a_stream_of_its_own(
    small_scenario: Path, variant: Callable[..., Path], asked: list[tuple[str, int]]
) -> None:
    whole, beginnings = names_in_code()
    assert "shock " in beginnings
    assert not any(name.startswith("shock ") for name in whole | {name for name, _ in asked})
    slump = {"id": "slump", "name": {"zh": "下行", "en": "Slump"}, "start": "2025-01"}
    boom = {"id": "boom", "name": {"zh": "繁荣", "en": "Boom"}, "start": "2025-09"}
    size = {"length": 3, "size": -0.2, "size_sd": 0.1}

    def sizes(*shocks: dict[str, object]) -> list[float]:
        def add(scenario: dict[str, object]) -> None:
            scenario["shocks"] = [shock | size for shock in shocks]

        runner = Runner(read_scenario(variant(small_scenario, scenario=add)), seed=1)
        return runner.district(0).cycle.shock_size.tolist()

    assert sizes(boom, slump) == [*sizes(boom), *sizes(slump)]
    assert sizes(boom) != sizes(slump)


@pytest.mark.parametrize("kind", KINDS)
def test_the_draw_of_a_slot_does_not_hang_on_how_many_slots_there_are(kind: str) -> None:
    few, many = (getattr(Draws(7, 3), kind)("growth", 5, count) for count in (101, 5000))
    assert np.array_equal(few, many[:101])


def test_a_few_slots_alone_get_what_they_get_among_all() -> None:
    draws = Draws(7, 3)
    among_all = draws.of_slots("project", 5, range(50), 6)
    assert np.array_equal(draws.of_slots("project", 5, [41, 7], 6), among_all[[41, 7]])
    assert np.array_equal(draws.of_slots("project", 5, [41, 7], 2), among_all[[41, 7], :2])
    assert len(np.unique(among_all)) == among_all.size


@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_the_first_axis_of_a_table_of_draws_is_the_slot(kind: str) -> None:
    few, many = (getattr(Draws(7, 3), kind)("project", 5, (count, 2)) for count in (33, 900))
    assert np.array_equal(few, many[:33])


@pytest.mark.parametrize("kind", KINDS)
def test_a_draw_is_the_same_whatever_was_drawn_before(kind: str) -> None:
    fresh = getattr(Draws(7, 3), kind)("exit", 9, 50)
    used = Draws(7, 3)
    used.uniform("exit", 9, 3)
    used.normal("exit", 12, 7)
    used.laplace("move", 9, 11)
    assert np.array_equal(getattr(used, kind)("exit", 9, 50), fresh)


@pytest.mark.parametrize(
    "other",
    [
        Draws(7, 3).uniform("growth", 6, MANY),
        Draws(7, 3).uniform("growth", 5 + 12, MANY),
        Draws(7, 3).uniform("exit", 5, MANY),
        Draws(7, 4).uniform("growth", 5, MANY),
        Draws(8, 3).uniform("growth", 5, MANY),
        Draws(3, 7).uniform("growth", 5, MANY),
        Draws(7, 3).uniform("growth", 5, MANY + 1)[1:],
    ],
    ids=["month", "year", "mechanism", "run", "seed", "seed for run", "slot"],
)
def test_draws_of_different_places_have_nothing_in_common(other: np.ndarray) -> None:
    one = Draws(7, 3).uniform("growth", 5, MANY)
    assert (one == other).mean() < 1e-4
    assert abs(np.corrcoef(one, other)[0, 1]) < 5 / np.sqrt(MANY)


def test_a_month_s_stretch_holds_more_numbers_than_any_run_can_use() -> None:
    assert MONTH_STRIDE >= 2**40
    assert 600 * MONTH_STRIDE < 2**128  # months of the longest plan, before the stream repeats


def test_a_slot_s_luck_over_the_months_is_that_of_independent_draws() -> None:
    months = 60
    draws = Draws(5, 3)
    luck = np.array([draws.uniform("growth", month, MANY) for month in range(months)]) - 0.5
    assert luck.sum(axis=0).var() / (months / 12) == pytest.approx(1, abs=5 * np.sqrt(2 / MANY))
    for lag in (1, 2, 3, 6, 12, 32):
        product = (luck[lag:] * luck[:-lag]).mean() * 12
        assert abs(product) < 5 / np.sqrt(MANY * (months - lag))


def test_uniform_draws_fill_the_unit_interval() -> None:
    luck = Draws(1, 0).uniform("exit", 1, MANY)
    assert 0 <= luck.min() < 1e-3
    assert 0.999 < luck.max() < 1
    counts = np.bincount((luck * 20).astype(int), minlength=20)
    assert ((counts - MANY / 20) ** 2).sum() / (MANY / 20) < 50  # χ² with 19 degrees of freedom


def test_laplace_draws_have_the_moments_of_the_law() -> None:
    luck = np.concatenate([Draws(1, run).laplace("growth", 1, MANY) for run in range(5)])
    luck = luck.astype(float)
    assert luck.mean() == pytest.approx(0, abs=0.01)
    assert luck.var() == pytest.approx(2, rel=0.01)
    assert (luck**3).mean() == pytest.approx(0, abs=0.2)
    assert (luck**4).mean() / luck.var() ** 2 == pytest.approx(6, rel=0.05)
    assert (np.abs(luck) > 1).mean() == pytest.approx(np.exp(-1), abs=0.003)
    assert np.abs(luck).max() < 16.7


def test_normal_draws_have_the_moments_of_the_law() -> None:
    luck = Draws(1, 0).normal("economy", 1, MANY)
    assert luck.mean() == pytest.approx(0, abs=0.01)
    assert luck.std() == pytest.approx(1, rel=0.01)


def test_a_new_parameter_leaves_the_draws_of_the_others_as_they_were() -> None:
    names = ["growth.drift.ic", "talent.annual_pay"]
    more = parameter_uniforms(3, 1, ["calls.failure", *reversed(names)])
    assert more[[2, 1]].tolist() == parameter_uniforms(3, 1, names).tolist()


def test_parameters_are_drawn_anew_in_each_run_and_for_each_seed() -> None:
    places = [(seed, run) for seed in range(40) for run in range(40)]
    luck = np.array([parameter_uniforms(*place, ["talent.annual_pay"])[0] for place in places])
    assert len(set(luck.tolist())) == len(places)
    assert luck.mean() == pytest.approx(0.5, abs=0.04)
    assert luck.var() == pytest.approx(1 / 12, rel=0.15)
