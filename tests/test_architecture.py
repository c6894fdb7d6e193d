"""The import rule and the quick start."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_rooms_import_only_downwards():
    """The contracts of pyproject.toml, which name every room."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def _loaded_by(statement):
    probe = f"import sys; {statement}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_the_package_loads_nothing_slow():
    slow = {"numba", "scipy", "xarray", "matplotlib", "pandas", "rich", "numpy"}
    assert not slow & _loaded_by("import spintherm")


def test_the_words_load_numpy_only():
    slow = {"numba", "scipy", "xarray", "matplotlib", "pandas", "rich"}
    assert not slow & _loaded_by("from spintherm import Magnet, Protocol, Ramp")


def test_every_public_name_is_there():
    import spintherm

    for name in spintherm.__all__:
        assert getattr(spintherm, name) is not None
    assert callable(spintherm.simulate)
