"""The commands and their flags; their work is done in files of their own, imported when needed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter, Token

from spintherm.version import __version__

SizeName = Literal["quick", "default", "paper"]
SchemeName = Literal["splitting", "euler-maruyama", "exact-ft"]
Vector = Annotated[tuple[float, float, float], Parameter(negative="")]
Flag = Annotated[bool, Parameter(negative="")]

_NUMBER = re.compile(r"[-+]?\d+\.?\d*[eE]\+?\d+")


def _whole(_type: object, tokens: Sequence[Token]) -> int:
    """Return 1000000 for "1000000" and for "1e6", and refuse what is not a whole number."""
    text = tokens[0].value
    try:
        return int(text)
    except ValueError:
        number = float(text) if _NUMBER.fullmatch(text) else 0.5
    if not number.is_integer() or abs(number) > 2.0**53:
        raise ValueError(f"{text!r} is no whole number")
    return int(number)


Whole = Annotated[int, Parameter(converter=_whole)]

app = App(
    name="spintherm",
    version=f"spintherm {__version__}",
    help=(
        "Stochastic thermodynamics of a small magnet driven by a field and a spin torque.\n\n"
        "Exit codes: 0 done, 1 failed, 2 usage, 130 interrupted; of `run` also 74 disk full, "
        "75 stopped early (it can be resumed)."
    ),
    help_format="plaintext",
    version_format="plaintext",
)


@app.command
def reproduce(
    *,
    size: SizeName = "default",
    out: Path = Path("results"),
    seed: Whole | None = None,
    threads: Whole | None = None,
    scheme: SchemeName | None = None,
    magnet: Path | None = None,
) -> int:
    """Reproduce the papers' figures, with a verdict on every number.

    Writes report.html, verdicts.json and each figure as PNG, PDF and netCDF.
    Prints the verdicts; one that fails makes the exit code 1.

    Parameters
    ----------
    size
        quick: about a minute on two cores; default: a few minutes; paper: the papers' own
        Euler-Maruyama with the step 1e-5, an estimated twenty minutes.
    out
        Folder for the results.
    seed
        Seed of all random numbers.
    threads
        Number of threads; as many as there are processors if not given.
    scheme
        Integrator in place of that of the size.
    magnet
        File of a study, whose magnet or material takes the place of the papers' magnet; judged
        is then what holds for every magnet. Without a common axis each of twelve processes takes
        minutes; the damping times the moment should not be far below the gyromagnetic ratio.
    """
    from spintherm.cli.reproduction import run

    return run(size, out, seed, threads, scheme, magnet)


@app.command
def simulate(
    protocol: Path,
    /,
    *,
    trajectories: Whole | None = None,
    seed: Whole | None = None,
    steps: Whole | None = None,
    tolerance: float | None = None,
    scheme: SchemeName | None = None,
    fast: Flag = False,
    threads: Whole | None = None,
    out: Path | None = None,
    json: Flag = False,
) -> int:
    """Simulate the process that a TOML file describes.

    The file has the tables [magnet] and [protocol] and may have [simulate].
    The last holds options as below, `initial` and `save_at`; flags override it.

    Parameters
    ----------
    protocol
        The TOML file.
    trajectories
        Number of trajectories; 100000 if nothing says otherwise.
    seed
        Seed of the random numbers; 0 if nothing says otherwise.
    steps
        Number of time steps; chosen from the fastest rate if not given.
    tolerance
        Instead of steps: how large the step bias may be as a fraction of the statistical error.
    scheme
        Integrator.
    fast
        Faster arithmetic for the scheme splitting.
    threads
        Number of threads; as many as there are processors if not given.
    out
        netCDF file for all trajectories.
    json
        Print the summary as JSON.
    """
    from spintherm.cli.simulation import run

    flags = {
        "trajectories": trajectories,
        "seed": seed,
        "steps": steps,
        "tolerance": tolerance,
        "scheme": scheme,
        "fast": fast or None,
    }
    given = {name: value for name, value in flags.items() if value is not None}
    return run(protocol, given, threads, out, as_json=json)


@app.command
def theory(
    *,
    moment: float,
    gyromagnetic_ratio: float,
    damping: float,
    temperature: float,
    field: Vector,
    spin_torque: Vector,
    json: Flag = False,
) -> int:
    """Print the closed forms of the steady state for a spin torque parallel to the field.

    Parameters
    ----------
    moment
        Length of the moment.
    gyromagnetic_ratio
        gamma0, in rate per field.
    damping
        eta, in rate per energy.
    temperature
        T, in units of energy.
    field
        H, three components.
    spin_torque
        P, three components, parallel or antiparallel to the field.
    json
        Print JSON.
    """
    from spintherm.cli.closed_forms import run

    parameters = {
        "moment": moment,
        "gyromagnetic_ratio": gyromagnetic_ratio,
        "damping": damping,
        "temperature": temperature,
    }
    return run(parameters, field, spin_torque, as_json=json)
