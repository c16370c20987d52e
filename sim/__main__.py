"""``pudong``, and ``python -m sim``: the command, which can be stopped from its first moment on."""

from __future__ import annotations

import os

from sim.stopping import STOPS

STREAMS = (0, 1, 2)  # file numbers of stdin, stdout and stderr


def main() -> None:
    STOPS.listen()  # before the libraries are loaded, which takes longer than anything else here
    _fill_streams()
    from sim.cli import app
    from sim.cli.terminal import prepare_streams

    prepare_streams()
    try:
        app(prog_name="pudong")
    except SystemExit as end:
        STOPS.status = end.code if isinstance(end.code, int) else 1
        raise


def _fill_streams() -> None:
    """A stream that was closed would lend its number to a file, and what is said go into that."""
    while (number := os.open(os.devnull, os.O_RDWR)) in STREAMS:
        os.set_inheritable(number, True)
    os.close(number)


if __name__ == "__main__":
    main()
