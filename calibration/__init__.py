"""How the model is fitted to what was published, and how that is checked."""

from pathlib import Path

from sim.errors import InputError

ROOT = Path(__file__).parents[1]
OBSERVATIONS = Path(__file__).parent / "data" / "observations.csv"
BASELINE = ROOT / "scenarios" / "baseline.yaml"


class CalibrationError(InputError):
    """The figures and the priors cannot be brought together."""
