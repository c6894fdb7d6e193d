"""Settings of the kernels that run the pages: vector figures in the package's style."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from matplotlib import rcParams, rcParamsDefault

from spintherm.plot import style

IPYTHON = """
c.InlineBackend.figure_formats = {"svg"}
c.InlineBackend.rc = {}
c.HistoryManager.enabled = False
c.Application.log_level = "ERROR"
"""


def settings(folder: Path) -> dict[str, str]:
    """Write configuration files into a folder; return the environment that points to them."""
    profile = folder / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_kernel_config.py").write_text(IPYTHON, encoding="utf-8")
    (folder / "matplotlibrc").write_text(_style(), encoding="utf-8")
    return {
        "IPYTHONDIR": str(folder / "ipython"),
        "MATPLOTLIBRC": str(folder / "matplotlibrc"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _style() -> str:
    """Return `plot.style` as a matplotlibrc."""
    with style():
        changed = {
            key: value for key, value in rcParams.items() if value != rcParamsDefault.get(key)
        }
    changed["svg.fonttype"] = "path"
    changed["figure.figsize"] = (5.0, 3.2)
    changed["figure.constrained_layout.use"] = True
    return "".join(f"{key}: {_text(value)}\n" for key, value in changed.items())


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
