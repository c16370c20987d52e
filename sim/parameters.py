"""The behavioural parameters of one run: read from the economy file, drawn from their priors."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache, cached_property
from types import SimpleNamespace
from typing import Any, get_type_hints

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sim.draws import Floats, parameter_uniforms
from sim.economy import Economy
from sim.errors import (
    EconomyError,
    FieldPath,
    PosteriorError,
    Problem,
    plain,
    shown,
    unknown,
)
from sim.figures import Parameter
from sim.files import Source, refuse
from sim.plan import Driver, Plan, names_problems, unknown_names
from sim.posterior import Posterior
from sim.scenario import Inputs

POSTERIOR = "posterior"  # the name of the draw that chooses one of its rows
BY_SECTOR, BY_DRIVER = "sector", "driver"  # Annotated[Floats, BY_SECTOR]: one number a sector


@cache
def fields_of(group: type) -> dict[str, str | None]:
    """The parameters of a process's named tuple, and by what each has more numbers than one."""
    hints = get_type_hints(group, include_extras=True)
    return {name: getattr(hint, "__metadata__", [None])[0] for name, hint in hints.items()}


@dataclass(frozen=True)
class Entry:
    """One uncertain number: where it goes, and the prior that it is drawn from."""

    process: str
    name: str
    key: int | None
    parameter: Parameter
    value: float
    draw: int


@dataclass(frozen=True)
class Priors:
    """The priors of all entries as columns of shape (entries,), cut to their ranges.

    The cut conditions on the range, so that no probability heaps up at its ends.
    """

    centre: Floats
    spread: Floats
    low: Floats
    high: Floats
    is_log: NDArray[np.bool_]
    is_uniform: NDArray[np.bool_]
    is_fixed: NDArray[np.bool_]
    draw: NDArray[np.intp]

    @classmethod
    def of(cls, entries: list[Entry]) -> Priors:
        shapes = [e.parameter.prior.shape if e.parameter.prior else "fixed" for e in entries]
        shapes = [
            "fixed" if shape == "lognormal" and entry.value == 0 else shape
            for shape, entry in zip(shapes, entries, strict=True)
        ]
        is_log = np.array([shape == "lognormal" for shape in shapes])
        centre = np.array([entry.value for entry in entries])
        low = np.array([entry.parameter.low for entry in entries])
        high = np.array([entry.parameter.high for entry in entries])
        with np.errstate(divide="ignore", invalid="ignore"):
            centre, low, high = (
                np.where(is_log, np.log(values), values) for values in (centre, low, high)
            )
        return cls(
            centre,
            np.array([(e.parameter.prior and e.parameter.prior.spread) or 1.0 for e in entries]),
            low,
            high,
            is_log,
            np.array([shape == "uniform" for shape in shapes]),
            np.array([shape == "fixed" for shape in shapes]),
            np.array([entry.draw for entry in entries], dtype=np.intp),
        )

    def quantile(self, uniform: Floats) -> Floats:
        """The priors' quantiles at ``uniform``, both of shape (entries,)."""
        start = ndtr((self.low - self.centre) / self.spread)
        end = ndtr((self.high - self.centre) / self.spread)
        bell = self.centre + self.spread * ndtri(start + (end - start) * uniform)
        bell = np.where(self.is_log, np.exp(np.where(self.is_log, bell, 0.0)), bell)
        width = np.where(self.is_uniform, self.high - self.low, 0.0)
        flat = np.where(self.is_uniform, self.low, 0.0) + width * uniform
        centre = np.where(self.is_log, np.exp(np.where(self.is_log, self.centre, 0)), self.centre)
        return np.where(self.is_fixed, centre, np.where(self.is_uniform, flat, bell))


@dataclass(frozen=True)
class ParameterTable:
    """All parameters of an economy, in a fixed order.

    ``labels`` names the entries (``talent.attrition``, ``growth.drift.ic``); a run's values are
    a vector of shape (entries,) in that order.
    """

    groups: dict[str, type]
    entries: tuple[Entry, ...]
    labels: tuple[str, ...]
    draw_names: tuple[str, ...]
    fixed: dict[str, float]
    lengths: dict[tuple[str, str], int]
    priors: Priors
    posterior: Posterior | None = None

    def central(self) -> Floats:
        """The values as written in the file (with the scenario's own), shape (entries,)."""
        centre = np.array([entry.value for entry in self.entries])
        return self._with_fixed(centre)

    def draw(self, seed: int, run: int) -> Floats:
        """The values of one run, shape (entries,): from the priors, the fitted ones jointly from
        the posterior."""
        uniforms = parameter_uniforms(seed, run, self.draw_names)
        values = self.priors.quantile(uniforms[self.priors.draw])
        if self.posterior is not None:
            chosen = parameter_uniforms(seed, run, [POSTERIOR])[0] * len(self.posterior.draws)
            values[self._fitted] = self.posterior.draws[int(chosen)]
        return self._with_fixed(values)

    @cached_property
    def _fitted(self) -> NDArray[np.intp]:
        """Where the posterior's columns stand among the entries."""
        labels = self.posterior.labels if self.posterior is not None else ()
        return np.array([self.labels.index(label) for label in labels], dtype=np.intp)

    def prior_texts(self) -> dict[str, str]:
        """Each uncertain entry's prior in words, by label; those without one are left out."""
        return {
            label: _prior_text(entry)
            for label, entry, fixed in zip(
                self.labels, self.entries, self.priors.is_fixed, strict=True
            )
            if not fixed
        }

    def _with_fixed(self, values: Floats) -> Floats:
        for name, value in self.fixed.items():
            values[self.labels.index(name)] = value
        return values

    def arranged(self, values: Floats) -> SimpleNamespace:
        """The values by process: ``parameters.talent.attrition``; vectors as arrays."""
        filled: dict[str, dict[str, Any]] = {process: {} for process in self.groups}
        for (process, name), length in self.lengths.items():
            filled[process][name] = np.zeros(length)
        for entry, value in zip(self.entries, values, strict=True):
            if entry.key is None:
                filled[entry.process][entry.name] = float(value)
            else:
                filled[entry.process][entry.name][entry.key] = value
        return SimpleNamespace(
            **{process: group(**filled[process]) for process, group in self.groups.items()}
        )


def _prior_text(entry: Entry) -> str:
    parameter = entry.parameter
    assert parameter.prior is not None
    spread = (
        "" if parameter.prior.spread is None else f" {entry.value:g} ± {parameter.prior.spread:g}"
    )
    return f"{parameter.prior.shape}{spread}, {parameter.low:g} to {parameter.high:g}"


def table_of(inputs: Inputs, groups: dict[str, type]) -> ParameterTable:
    """The parameters of a scenario, with what was fitted.

    Raises:
        EconomyError: see ``parameter_table``.
        PosteriorError: the posterior was fitted to other priors than the economy's, or has draws
            outside a parameter's range.
    """
    table = parameter_table(
        inputs.economy,
        inputs.plan,
        inputs.sources["economy"],
        groups,
        inputs.scenario.parameters,
    )
    if inputs.posterior is None:
        return table
    _check_posterior(inputs.posterior, table, inputs.sources["posterior"])
    return dataclasses.replace(table, posterior=inputs.posterior)


def _check_posterior(posterior: Posterior, table: ParameterTable, source: Source) -> None:
    priors = table.prior_texts()
    advice = "fit anew with 'pudong calibrate', or take 'posterior' out of the economy"
    found: list[Problem] = []
    for label, text in posterior.head.priors.items():
        if label not in priors:
            known = unknown("parameter with a prior", label, priors)
            found.append((("priors", label), f"{known}; {advice}"))
        elif text != priors[label]:
            text = f"was fitted to the prior {text!r}; the economy has {priors[label]!r}"
            found.append((("priors", label), f"{text}; {advice}"))
    refuse(source, found, PosteriorError)
    for label, draws in zip(posterior.labels, posterior.draws.T, strict=True):
        parameter = table.entries[table.labels.index(label)].parameter
        for value in draws[(draws < parameter.low) | (draws > parameter.high)]:
            bounds = f"{plain(parameter.low)} to {plain(parameter.high)}"
            raise PosteriorError(
                f"{source.path}, column {label}: found {plain(value)}; allowed: {bounds}"
            )


def parameter_table(
    economy: Economy, plan: Plan, source: Source, groups: dict[str, type], fixed: dict[str, float]
) -> ParameterTable:
    """Match the economy file's parameters with what the processes need.

    Args:
        groups: the named tuple of parameters of each process, by the process's name.
        fixed: parameters that a scenario holds at a value.

    Raises:
        EconomyError: a parameter is missing, unknown, or not given for every sector or driver.
    """
    dimensions = {"sector": plan.sector_ids(), "driver": [driver.value for driver in Driver]}
    refuse(source, _problems(economy, groups, dimensions), EconomyError)
    entries: list[Entry] = []
    draw_names: list[str] = []
    lengths: dict[tuple[str, str], int] = {}
    for process, group in groups.items():
        for name, by in fields_of(group).items():
            parameter = economy.parameters[process][name]
            if not isinstance(parameter.value, dict):
                entries.append(
                    Entry(process, name, None, parameter, parameter.value, len(draw_names))
                )
                draw_names.append(f"{process}.{name}")
                continue
            keys = dimensions[str(by)]
            lengths[process, name] = len(keys)
            shared = parameter.prior is not None and parameter.prior.shared
            if shared:
                draw_names.append(f"{process}.{name}")
            for key, value in parameter.value.items():
                if not shared:
                    draw_names.append(f"{process}.{name}.{key}")
                entries.append(
                    Entry(process, name, keys.index(key), parameter, value, len(draw_names) - 1)
                )
    labels = tuple(_label(entry, dimensions, groups) for entry in entries)
    return ParameterTable(
        groups, tuple(entries), labels, tuple(draw_names), fixed, lengths, Priors.of(entries)
    )


def _problems(
    economy: Economy, groups: dict[str, type], dimensions: dict[str, list[str]]
) -> list[Problem]:
    """Parameters that are unknown, missing, or not given for each sector or driver."""
    found = names_problems("process", economy.parameters, list(groups), ("parameters",))
    for process in (process for process in groups if process in economy.parameters):
        place: FieldPath = ("parameters", process)
        given = economy.parameters[process]
        fields = fields_of(groups[process])
        found += names_problems("parameter", given, list(fields), place)
        for name in (name for name in fields if name in given):
            value, by = given[name].value, fields[name]
            field = (*place, name, "value")
            if by is None and isinstance(value, dict):
                found.append((field, f"found {shown(value)}; one number is needed"))
            elif by is not None and not isinstance(value, dict):
                found.append((field, f"found {plain(value)}; one number for each {by} is needed"))
            elif by == "sector" and isinstance(value, dict):
                found += names_problems(by, value, dimensions[by], field)
            elif isinstance(value, dict):
                found += unknown_names(str(by), value, dimensions[str(by)], field)
    return found


def _label(entry: Entry, dimensions: dict[str, list[str]], groups: dict[str, type]) -> str:
    if entry.key is None:
        return f"{entry.process}.{entry.name}"
    by = fields_of(groups[entry.process])[entry.name]
    keys = dimensions[str(by)]
    return f"{entry.process}.{entry.name}.{keys[entry.key]}"
