"""The columns and the reference side by side: the same run of both, compared month by month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.draws import Draws
from sim.firms import STATES
from sim.model import District
from sim.runner import Runner
from tests.reference.model import ReferenceDistrict

Snapshot = dict[str, NDArray[Any]]

RELATIVE = 1e-9
ABSOLUTE = 1e-12  # of a firm; ten thousand times that of a sum over firms
EXACT = ("state", "sector", "zone", "park", "founded", "is_ai", "large", "foreign")
EXACT += ("anchor", "adopting", "projects")
REAL = ("log_revenue", "revenue", "staff", "capability", "maturity", "ai_share", "one_off")
OF_ACTIVE = ("staffing", "standing", "trend")  # closed firms' are of no use


class DoubleDraws(Draws):
    """The same draws; what is computed from them is kept in double precision."""

    def uniform(self, mechanism: str, month: int, shape: int | tuple[int, ...]) -> NDArray[Any]:
        return super().uniform(mechanism, month, shape).astype(float)


def columns(runner: Runner, run: int, parameters: SimpleNamespace | None = None) -> District:
    """The district at the start of a run, in double precision."""
    parameters = parameters or runner.district(run).parameters
    return District(runner.blueprint, parameters, DoubleDraws(runner.seed, run), np.float64)


def reference(runner: Runner, run: int) -> ReferenceDistrict:
    """The reference district at the start of the run, with its parameters and draws."""
    parameters = runner.district(run).parameters
    return ReferenceDistrict(runner.inputs, parameters, Draws(runner.seed, run))


def months(district: District | ReferenceDistrict, last: int | None = None) -> Iterator[Snapshot]:
    """The district at the start and after each month."""
    look = of_columns if isinstance(district, District) else of_reference
    yield look(district)
    horizon = district.blueprint.horizon if last is None else last
    while district.month < horizon:
        district.step()
        yield look(district)


def first_difference(one: Iterable[Snapshot], other: Iterable[Snapshot]) -> str | None:
    """The first month in which two differ, and in what; None if they agree to the end."""
    for month, (left, right) in enumerate(zip(one, other, strict=True)):
        assert left.keys() == right.keys()
        found = [name for name in left if not same(name, left[name], right[name])]
        if found:
            return f"month {month}: {', '.join(found)}"
    return None


def same(name: str, one: NDArray[Any], other: NDArray[Any]) -> bool:
    if one.shape != other.shape:
        return False
    if one.dtype.kind != "f":
        return np.array_equal(one, other)
    slack = ABSOLUTE * (1 if name in (*REAL, *OF_ACTIVE) else 1e4)
    return np.allclose(one, other, rtol=RELATIVE, atol=slack)


def of_columns(district: District) -> Snapshot:
    firms, zones, parks = district.columns, district.zones, district.park_columns
    active = firms.alive > 0
    found = {name: getattr(firms, name) for name in (*EXACT, *REAL)}
    found["projects"] = firms.projects.astype(int)
    found |= {name: np.where(active, getattr(firms, name), 0.0) for name in OF_ACTIVE}
    found |= {
        "progress": district.department_columns.progress,
        "drivers": district.drivers.by_cell,
        "cycle": district.cycle.growth,
        "growth of sectors": district.momentum.last,
        "mean log revenue": district.momentum.mean_log,
        "seekers": zones.seekers,
        "vacancies": zones.vacancies,
        "arrivals": zones.arrivals,
        "displaced arrivals": zones.displaced,
        "pull": zones.pull,
        "talent quality": zones.talent_quality,
        "fill rate": zones.fill_rate,
        "wage index": zones.wage_index,
        "openness": zones.openness,
        "data access": zones.data_access,
        "data used": zones.data_used,
        "data volume": zones.data_volume,
        "data across the border": zones.cross_border,
        "incidents": zones.incidents,
        "setback months": zones.setback_months,
        "research support": district.research.push,
        "key technologies": zones.key_technologies,
        "landmark results": zones.landmark_results,
        "standards": zones.standards,
        "proposed": zones.proposed,
        "entries": zones.entries,
        "exits": zones.exits,
        "scenarios": zones.scenarios,
        "AI models": zones.models,
        "output capacity": np.nan_to_num(zones.output_capacity, posinf=-1.0),
        "orders": zones.orders,
        "ramp": zones.ramp,
        "lift": zones.lift,
        "revenue of cells": zones.revenue,
        "AI shares of cells": zones.ai_adoption,
        "tenants": parks.occupied,
        "rent": parks.rent,
        "service": parks.service,
        "platforms founded": parks.founding,
        "platforms open": parks.open_platforms,
        "projects under way": district.projects.table[:, : district.projects.count].astype(int),
    }
    return {name: np.array(values) for name, values in found.items()}


def of_reference(district: ReferenceDistrict) -> Snapshot:
    firms, zones, parks = district.firms, district.zones, district.parks

    def each(rows: Iterable[Any], name: str, kind: type = float) -> NDArray[Any]:
        return np.array([getattr(row, name) for row in rows], dtype=kind)

    def numbers(name: str) -> NDArray[Any]:
        owned = (getattr(firm, name) for firm in firms)
        return np.array([-1 if thing is None else thing.number for thing in owned])

    def cells(name: str) -> NDArray[Any]:
        return each(district.cells, name).reshape(len(zones), len(district.sectors))

    drivers = [[list(cell.driver.values()) for cell in zone.cells] for zone in zones]
    under_way = [
        (p.adopter.slot, p.supplier.slot, p.kind, p.last_month, p.counts) for p in district.projects
    ]
    found = {name: each(firms, name) for name in REAL}
    found |= {
        name: np.array([getattr(firm, name) if firm.active else 0.0 for firm in firms])
        for name in OF_ACTIVE
    }
    found |= {
        "state": np.array([STATES.index(firm.state) for firm in firms]),
        "sector": numbers("sector"),
        "zone": numbers("zone"),
        "park": numbers("park"),
        "founded": each(firms, "founded", int),
        "is_ai": each(firms, "is_ai", bool),
        "large": each(firms, "large", bool),
        "foreign": each(firms, "foreign", bool),
        "anchor": each(firms, "anchor", bool),
        "adopting": each(firms, "adopting", bool),
        "projects": each(firms, "projects", int),
        "progress": np.array([m.progress for m in district.measures]).reshape(-1, len(zones)),
        "drivers": np.moveaxis(np.array(drivers), 2, 0),
        "cycle": cells("cycle"),
        "growth of sectors": each(district.sectors, "last_growth"),
        "mean log revenue": each(district.sectors, "mean_log_revenue"),
        "seekers": each(zones, "seekers"),
        "vacancies": each(zones, "vacancies"),
        "arrivals": each(zones, "arrivals"),
        "displaced arrivals": each(zones, "displaced"),
        "pull": each(zones, "pull"),
        "talent quality": each(zones, "talent_quality"),
        "fill rate": each(zones, "fill_rate"),
        "wage index": each(zones, "wage_index"),
        "openness": each(zones, "openness"),
        "data access": each(zones, "data_access"),
        "data used": each(zones, "data_used"),
        "data volume": each(zones, "data_volume"),
        "data across the border": each(zones, "data_across_border"),
        "incidents": each(zones, "incidents"),
        "research support": cells("support"),
        "setback months": each(zones, "setback_months"),
        "key technologies": each(zones, "key_technologies"),
        "landmark results": each(zones, "landmark_results"),
        "standards": each(zones, "standards"),
        "proposed": np.array(
            [(zone.technologies_proposed, zone.scenarios_proposed) for zone in zones], dtype=float
        ),
        "entries": each(zones, "entries"),
        "exits": each(zones, "exits"),
        "scenarios": cells("scenarios"),
        "AI models": cells("models"),
        "output capacity": np.nan_to_num(cells("capacity"), posinf=-1.0),
        "orders": cells("orders"),
        "ramp": cells("ramp"),
        "lift": cells("lift"),
        "revenue of cells": cells("revenue"),
        "AI shares of cells": cells("ai_shares"),
        "tenants": each(parks, "tenants"),
        "rent": each(parks, "rent"),
        "service": each(parks, "service"),
        "platforms founded": each(parks, "platforms_founded"),
        "platforms open": each(parks, "open_platforms"),
        "projects under way": np.array(under_way, dtype=int).reshape(-1, 5).T,
    }
    return found
