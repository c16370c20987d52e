"""The scenario library's page says what the comparison found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml
from typer.testing import CliRunner

from sim.cli import app
from sim.files import read_yaml
from sim.report.difference_table import points
from sim.scenario import read_scenario


def test_the_page_has_each_scenario_with_its_differences(
    variant: Callable[..., Path], small_scenario: Path, tmp_path: Path
) -> None:
    base = variant(small_scenario, scenario=lambda data: data.update(levers=[], shocks=[]))
    data = read_yaml(base).data
    lever = next(iter(read_scenario(base).economy.levers.items()))
    more = {"lever": lever[0], "value": lever[1].high}
    for name, change in {
        "more": {"levers": [more]},
        "same": {},
        "longer": {"plan_end": "2026-09"},
    }.items():
        text = yaml.safe_dump(data | {"id": name} | change, allow_unicode=True)
        (base.parent / f"{name}.yaml").write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    arguments = ["library", str(base), "--runs", "20", "--workers", "1", "--out", str(out)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.stderr
    assert "2 scenarios beside" in done.stdout
    page = (out / "scenarios.md").read_text(encoding="utf-8")
    for name in ("more", "same", "longer"):
        assert f'<a id="{name}"></a>' in page
    section = page.split('<a id="same"></a>')[1].split("<a id=")[0]
    assert "No target of the district can be told to change." in section
    assert "The targets are due in 2026-09." in page
    assert points(0.0) == "0"
    alone = CliRunner().invoke(app, ["library", str(small_scenario), "--runs", "5"])
    assert alone.exit_code == 2
    assert "has no other scenario beside it" in alone.stderr
