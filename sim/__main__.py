"""``python -m sim``: the command ``pudong``."""

from sim.cli import main

main(name="pudong")
