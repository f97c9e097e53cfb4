"""Runs a notebook headless in a new workspace, printing each cell and its outputs as they come: `make demo`.

Usage: python notebooks/run.py NOTEBOOK [FOLDER]

FOLDER becomes the workspace, by default a new temporary folder, so that this repository gets no mlox.yaml. If a cell
fails, the services of that workspace are stopped and the exit code is 1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

MLOX = Path(sys.executable).with_name("mlox")
CELL_TIMEOUT_S = 900


class PrintingClient(NotebookClient):
    """A client of a kernel that prints what the kernel sends, when it sends it."""

    def __init__(self, notebook: Any, **options: Any) -> None:
        super().__init__(notebook, on_cell_start=_print_source, **options)
        self._shown: dict[str, str] = {}

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Print an output, then keep it as nbclient does."""
        kind, content = msg["msg_type"], msg["content"]
        if kind == "stream":
            _print_output(content["text"])
        elif kind == "error":
            _print_output("\n".join(content["traceback"]))
        elif kind in ("execute_result", "display_data", "update_display_data"):
            text = str(content["data"].get("text/plain", ""))
            display = content.get("transient", {}).get("display_id", "")
            if not display or self._shown.get(display) != text:
                _print_output(text)
            self._shown[display] = text
        return super().process_message(msg, cell, cell_index)


def main(arguments: list[str]) -> int:
    """Run the notebook that ``arguments`` name; returns the exit code."""
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    source = Path(arguments[0])
    folder = Path(arguments[1] if len(arguments) == 2 else tempfile.mkdtemp(prefix="mlox-demo-")).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
    print(f"{source} in the new workspace {folder}\n", flush=True)
    client = PrintingClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        # Without this, newer kernels begin with a warning that they listen on loopback ports.
        extra_arguments=["--log-level=ERROR"],
    )
    # As if the environment were activated, for cells with !mlox.
    os.environ["PATH"] = f"{MLOX.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    began = time.monotonic()
    try:
        client.execute()
    except CellExecutionError:
        print("the notebook failed; stopping what it started", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; stopping what the notebook started", file=sys.stderr)
        return 130
    finally:
        # The notebook's last cell does this; it has to be done too where the notebook did not get that far.
        if (folder / "mlox.yaml").exists():
            subprocess.run([MLOX, "-C", folder, "-q", "down"], stdout=subprocess.DEVNULL, check=False)
        nbformat.write(notebook, folder / source.name)  # type: ignore[no-untyped-call]
    print(f"\ndone in {time.monotonic() - began:.0f} s. Where things are:")
    return _tell_where(folder, source.name)


def _print_source(cell: Any, cell_index: int) -> None:  # noqa: ARG001 - the names are nbclient's
    if cell.cell_type != "code":
        print(f"\n{cell.source}\n", flush=True)
        return
    first, *rest = cell.source.splitlines() or [""]
    print("\n".join(["", f">>> {first}", *(f"... {line}" for line in rest)]), flush=True)


def _print_output(text: str) -> None:
    for line in text.splitlines():
        print(f"    {line}".rstrip(), flush=True)


def _tell_where(folder: Path, notebook: str) -> int:
    """Print what there is now; 1 where something still runs, though it should not."""
    print(f"  workspace     {folder}")
    print(f"  notebook      {folder / notebook}  (with these outputs)")
    if not (folder / "mlox.yaml").exists():
        return 0
    asked = [str(MLOX), "-C", str(folder), "--json", "status"]
    rows = json.loads(subprocess.run(asked, stdout=subprocess.PIPE, check=True).stdout)["services"]
    for row in rows:
        print(f"  {row['name']:<12}  {row['status']}, its data in {row['data_path']}")
    left = [row["name"] for row in rows if row["status"] not in ("stopped", "absent")]
    print(f"still running: {', '.join(left)}" if left else "nothing is left running")
    print(f"start it again   {MLOX} -C {folder} up")
    print(f"delete its data  {MLOX} -C {folder} down --purge")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
