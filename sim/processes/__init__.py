"""The processes of a month, one module each: ``step(model) -> None`` and its parameters.

Processes do not call each other to act; they meet in the model's state.
"""

from sim.firms import PopulationParameters
from sim.processes.calls import CallsParameters
from sim.processes.data_market import DataMarketParameters
from sim.processes.diffusion import DiffusionParameters
from sim.processes.drivers import DriversParameters
from sim.processes.economy import EconomyParameters
from sim.processes.growth import GrowthParameters
from sim.processes.implementation import ImplementationParameters
from sim.processes.innovation import InnovationParameters
from sim.processes.lifecycle import LifecycleParameters
from sim.processes.parks import ParksParameters
from sim.processes.platforms import PlatformsParameters
from sim.processes.talent import TalentParameters

PARAMETERS: dict[str, type] = {
    "population": PopulationParameters,
    "economy": EconomyParameters,
    "implementation": ImplementationParameters,
    "drivers": DriversParameters,
    "parks": ParksParameters,
    "talent": TalentParameters,
    "diffusion": DiffusionParameters,
    "innovation": InnovationParameters,
    "platforms": PlatformsParameters,
    "calls": CallsParameters,
    "data_market": DataMarketParameters,
    "growth": GrowthParameters,
    "lifecycle": LifecycleParameters,
}
