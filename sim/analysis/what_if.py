"""A what-if made in Python, checked as if it had been read from a scenario file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sim.files import yaml_text
from sim.scenario import Inputs, scenario_of

MAPS = ("priorities", "target_shares", "parameters")  # by name; a what-if may add names


def what_if(
    base: Inputs,
    id: str,
    name: Mapping[str, str],
    *,
    levers: Sequence[Mapping[str, Any]] = (),
    shocks: Sequence[Mapping[str, Any]] = (),
    **fields: Mapping[str, Any],
) -> Inputs:
    """The base scenario and something more, with the same plan, economy and parameters.

    Args:
        base: a checked scenario; it stays as it is.
        id: of the new scenario: small letters, digits and ``_``.
        name: in Chinese and English: ``{"zh": …, "en": …}``.
        levers, shocks: set after those of the base, as in a scenario file:
            ``{"lever": "talent_subsidy", "value": 8, "start": "2022-01", "ramp": 3}``.
        fields: ``priorities``, ``target_shares`` or ``parameters``, as in a scenario file; they
            add to the base's, name by name.

    Raises:
        ScenarioError: the field with what was found and what is allowed.
    """
    data = base.scenario.model_dump(mode="json", exclude_defaults=True)
    data |= {"id": id, "name": dict(name), "question": dict(name)}
    for field, settings in (("levers", levers), ("shocks", shocks)):
        data[field] = [*data.get(field, []), *(dict(one) for one in settings)]
    for field, more in fields.items():
        data[field] = {**data.get(field, {}), **more} if field in MAPS else more
    text = yaml_text(data, width=80)
    return scenario_of(text.encode(), id, base)
