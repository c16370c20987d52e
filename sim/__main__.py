"""``python -m sim``: the command ``pudong``."""

from sim.cli import app

app(prog_name="pudong")
