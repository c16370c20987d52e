"""Execute the notebooks: a ``.py`` is the source, the ``.ipynb`` beside it what readers see.

``make notebooks`` renews all of them, ``python notebooks/execute.py 01-first-forecast`` one. They
run in a directory of their own, so that nothing is left beside the sources.

jupytext pairs, nbclient executes: it is the Jupyter project's own and kept up, nbconvert, papermill
and nbmake only stand on it, and with it alone a test can give a notebook other parameters.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import tempfile
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from PIL import Image

FOLDER = Path(__file__).parent
SOURCES = sorted(FOLDER.glob("[0-9]*.py"))
PARAMETERS = "parameters"  # tag of the cell whose values a test replaces
TIMEOUT = 1_800  # seconds a cell; a fit of the whole district takes minutes


def executed(source: Path, folder: Path, **parameters: object) -> Any:
    """The notebook of a source, executed in ``folder``.

    Args:
        parameters: set after the cell with the tag ``parameters``, in the place of its values.
    """
    notebook = jupytext.read(source)
    if parameters:
        tagged = (PARAMETERS in cell.metadata.get("tags", []) for cell in notebook.cells)
        place = [*tagged].index(True)
        lines = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
        notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(lines))
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],  # of the kernel: not that it listens on loopback
        resources={"metadata": {"path": str(folder)}},
    )
    paths = [str(FOLDER.parent), os.environ.get("PYTHONPATH", "")]
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),  # this checkout, wherever it lies
        "IPYTHONDIR": str(folder / ".ipython"),  # nobody's own settings
        "PYTHONWARNINGS": "ignore:IProgress not found",  # tqdm, which Mesa imports, wants widgets
    }
    client.execute(env=env)
    return notebook


def cleaned(notebook: Any) -> Any:
    """The same without what differs from one execution or machine to the next, and smaller."""
    notebook.metadata = nbformat.from_dict(
        {
            "jupytext": {"formats": "ipynb,py:percent"},
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number:02d}"
        kept = {"tags": cell.metadata["tags"]} if "tags" in cell.metadata else {}
        cell.metadata = nbformat.from_dict(kept)
        for output in cell.get("outputs", []):
            picture = output.get("data", {}).get("image/png")
            if picture:
                output["data"]["image/png"] = _smaller(picture)
    return notebook


def _smaller(picture: str) -> str:
    """A picture (base64) with a palette of 256 colours: a third of the bytes, and as good."""
    with Image.open(io.BytesIO(base64.b64decode(picture))) as full:
        if full.mode == "P":  # done before
            return picture
        few = full.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    few.save(packed, "PNG", optimize=True)
    return base64.b64encode(packed.getvalue()).decode("ascii")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    names = [source.stem for source in SOURCES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    chosen = parser.parse_args().names or names
    if unknown := set(chosen) - set(names):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as folder:  # one for all, so that runs are used again
        for source in SOURCES:
            if source.stem in chosen:
                notebook = cleaned(executed(source, Path(folder)))
                nbformat.write(notebook, source.with_suffix(".ipynb"))


if __name__ == "__main__":
    main()
