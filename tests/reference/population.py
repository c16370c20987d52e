"""Section 5 of docs/model.md: the firms at the start and the potential founders, by slot."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

from tests.reference.firm import Firm

if TYPE_CHECKING:
    from tests.reference.model import ReferenceDistrict
    from tests.reference.places import Cell, Sector

TRAITS = ("age", "capability", "maturity", "foreign", "size", "anchor", "ai share", "park")
MOST = 0.499  # AI share of a firm that is no AI firm


def largest_remainder(total: int, shares: list[float]) -> list[int]:
    """Hamilton's method; ties to the earlier part."""
    exact = [share * (total / sum(shares)) for share in shares]
    parts = [math.floor(part + 1e-9) for part in exact]
    order = sorted(range(len(exact)), key=lambda n: parts[n] - exact[n])
    for n in order[: total - sum(parts)]:
        parts[n] += 1
    return parts


def normal_quantile(uniform: float) -> float:
    return NormalDist().inv_cdf(inner(uniform))


def inner(uniform: float) -> float:
    return min(max(uniform, 1e-7), 1.0 - 1e-7)


class Population:
    """Makes firms in the order of their slots: those at the start, then each month's founders."""

    def __init__(self, model: ReferenceDistrict) -> None:
        self.model = model
        self.p = model.p.population
        self.places = self._deal()
        self.founders = [
            [s for s in model.sectors for _ in range(self._founders(s, month))]
            for month in range(1, model.horizon + 1)
        ]
        slots = len(self.places) + sum(map(len, self.founders))
        self.luck: dict[str, list[float]] = {
            name: model.draws.uniform(f"trait {name}", 0, slots).tolist() for name in TRAITS
        }

    def _deal(self) -> list[Cell]:
        """The first firm of every cell, then the second, and so on."""
        cells = self.model.cells
        rounds = range(max(cell.firms_at_start for cell in cells))
        return [cell for turn in rounds for cell in cells if cell.firms_at_start > turn]

    def _founders(self, sector: Sector, month: int) -> int:
        rate, firms = self.p.founders_rate[sector.number], self.firms_of(sector)

        def reached(t: int) -> int:
            return math.floor(firms * rate * t / 12.0 + 0.5)

        return reached(month) - reached(month - 1)

    def firms_of(self, sector: Sector) -> int:
        return sum(c.firms_at_start for c in self.model.cells if c.sector is sector)

    def revenue_of(self, sector: Sector) -> float:
        return sum(c.revenue_at_start for c in self.model.cells if c.sector is sector)

    def size(self, slot: int, sector: Sector) -> float:
        """A lognormal body of median 1 with a Pareto tail."""
        record, u = sector.record.size, inner(self.luck["size"][slot])
        sigma, tail, alpha = (
            float(x) for x in (record.body_sigma, record.tail_share, record.tail_exponent)
        )
        if u <= 1.0 - tail:
            return math.exp(sigma * normal_quantile(u))
        kappa = self.p.tail_span**-alpha
        rest = (1.0 - u) / tail
        start = math.exp(sigma * normal_quantile(1.0 - tail))
        return start * (kappa + (1.0 - kappa) * rest) ** (-1.0 / alpha)

    def level(self, name: str, slot: int, mean: float) -> float:
        """Capability or maturity, spread on the logit scale."""
        logit = math.log(mean / (1.0 - mean))
        logit += self.p.trait_spread * normal_quantile(self.luck[name][slot])
        return 1.0 / (1.0 + math.exp(-logit))

    def taste(self, slot: int, sector: Sector) -> float:
        """What its AI share is made from: exponential, cut off at the most."""
        mean = max(float(sector.record.ai_share), 1e-9)
        whole = 1.0 - math.exp(-MOST / mean)
        return -mean * math.log(1.0 - self.luck["ai share"][slot] * whole)

    def make(self, slot: int, sector: Sector, founded: int, revenue: float, **more: float) -> Firm:
        record = sector.record
        return Firm(
            self.model,
            slot,
            sector,
            founded,
            log_revenue=math.log(max(revenue, 1e-9)),
            large=12.0 * revenue >= self.p.large_revenue,
            capability=self.level("capability", slot, float(record.capability)),
            maturity=self.level("maturity", slot, float(record.maturity)),
            foreign=self.luck["foreign"][slot] < float(record.foreign_share),
            **more,
        )

    def firms_at_start(self) -> list[Firm]:
        """Every cell meets its totals of firms, revenue and staff, and the sector's AI share."""
        sizes = [self.size(slot, cell.sector) for slot, cell in enumerate(self.places)]
        members = {cell: [] for cell in self.model.cells}
        for slot, cell in enumerate(self.places):
            members[cell].append(slot)
        revenue = [0.0 for _ in sizes]
        for cell, slots in members.items():
            total = sum(sizes[slot] for slot in slots)
            for slot in slots:
                revenue[slot] = cell.revenue_at_start * sizes[slot] / total
        ai_share = self._ai_shares(members, revenue)
        for sector in self.model.sectors:
            own = [x for x, cell in zip(sizes, self.places, strict=True) if cell.sector is sector]
            sector.mean_size = sum(own) / len(own) if own else 0.0
        firms = []
        for slot, cell in enumerate(self.places):
            age = -math.log1p(-self.luck["age"][slot]) / self.p.age_rate
            firm = self.make(
                slot,
                cell.sector,
                founded=-math.ceil(age * 12.0),
                revenue=revenue[slot],
                ai_share=ai_share[slot],
                anchor=False,
            )
            firm.state = "active"
            firm.zone = cell.zone
            firm.revenue = revenue[slot]
            firm.staff = (
                cell.staff_at_start * revenue[slot] / sum(revenue[n] for n in members[cell])
            )
            firms.append(firm)
        return firms

    def _ai_shares(self, members: dict[Cell, list[int]], revenue: list[float]) -> list[float]:
        share = [self.taste(slot, cell.sector) for slot, cell in enumerate(self.places)]
        for cell, slots in members.items():
            goal = float(cell.sector.record.ai_share) * sum(revenue[slot] for slot in slots)
            for _ in range(60):  # more than any cell needs
                for slot in slots:
                    share[slot] = min(share[slot], MOST)
                now = sum(revenue[slot] * share[slot] for slot in slots)
                for slot in slots:
                    share[slot] *= goal / now if now > 0 else 0.0
            for slot in slots:
                share[slot] = 1.0 if cell.sector.record.is_ai else min(share[slot], MOST)
        return share

    def founders_of(self, month: int) -> list[Firm]:
        """Who may start a firm in this month."""
        first = len(self.places) + sum(len(others) for others in self.founders[: month - 1])
        return [
            self._founder(first + n, sector, month)
            for n, sector in enumerate(self.founders[month - 1])
        ]

    def _founder(self, slot: int, sector: Sector, month: int) -> Firm:
        anchor = self.luck["anchor"][slot] < self.p.anchor_share
        mean = self.revenue_of(sector) / self.firms_of(sector)
        if anchor:
            revenue = self.p.anchor_size * mean
        else:
            record = sector.record.size
            in_body = normal_quantile(max(1.0 - float(record.tail_share), 1e-7))
            largest = math.exp(float(record.body_sigma) * in_body)
            size = min(self.size(slot, sector), largest) / sector.mean_size
            revenue = self.p.founder_size * size * mean
        ai_share = min(self.taste(slot, sector) * self.p.founder_ai_boost, MOST)
        founder = self.make(
            slot,
            sector,
            founded=month,
            revenue=revenue,
            ai_share=1.0 if sector.record.is_ai else ai_share,
            anchor=anchor,
        )
        founder.set_obsolescence(sector.staff_per_revenue * math.exp(founder.log_revenue))
        return founder
