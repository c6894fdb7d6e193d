"""Stochastic thermodynamics of a small magnet driven by a field and a spin torque.

Names are loaded when they are first used, so that importing the package takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from spintherm.version import __version__

if TYPE_CHECKING:
    from spintherm import (
        engine,
        exact,
        experiments,
        fluctuation,
        fokker_planck,
        plot,
        rare,
        reference,
        statistics,
        theory,
    )
    from spintherm.demagnetisation import Cylinder, Ellipsoid, Prism
    from spintherm.display import summary
    from spintherm.energies import Anisotropy
    from spintherm.fokker_planck import (
        distribution,
        evolve,
        generating_function,
        moments,
        phase_diagram,
        scgf,
        steady_state,
        steady_states,
    )
    from spintherm.magnet import Magnet
    from spintherm.materials import Nanomagnet, Scales, SpinTorque
    from spintherm.protocol import Protocol
    from spintherm.study import run, sweep
    from spintherm.torques import Polariser, TorqueEfficiency
    from spintherm.trajectories import multilevel_means, simulate, simulate_statistics
    from spintherm.waveforms import (
        Constant,
        Function,
        Pulse,
        Ramp,
        Samples,
        Sine,
        Triangle,
        Waveform,
    )

_HOMES = {
    "Magnet": "magnet",
    "Anisotropy": "energies",
    "Polariser": "torques",
    "TorqueEfficiency": "torques",
    "Ellipsoid": "demagnetisation",
    "Prism": "demagnetisation",
    "Cylinder": "demagnetisation",
    "Nanomagnet": "materials",
    "Scales": "materials",
    "SpinTorque": "materials",
    "Protocol": "protocol",
    "Waveform": "waveforms",
    "Constant": "waveforms",
    "Ramp": "waveforms",
    "Triangle": "waveforms",
    "Pulse": "waveforms",
    "Sine": "waveforms",
    "Samples": "waveforms",
    "Function": "waveforms",
    "simulate": "trajectories",
    "simulate_statistics": "trajectories",
    "multilevel_means": "trajectories",
    "steady_state": "fokker_planck",
    "steady_states": "fokker_planck",
    "scgf": "fokker_planck",
    "evolve": "fokker_planck",
    "generating_function": "fokker_planck",
    "moments": "fokker_planck",
    "distribution": "fokker_planck",
    "phase_diagram": "fokker_planck",
    "summary": "display",
    "run": "study",
    "sweep": "study",
}
_MODULES = (
    "engine",
    "exact",
    "experiments",
    "fluctuation",
    "fokker_planck",
    "plot",
    "rare",
    "reference",
    "statistics",
    "theory",
)

__all__ = [
    "Anisotropy",
    "Constant",
    "Cylinder",
    "Ellipsoid",
    "Function",
    "Magnet",
    "Nanomagnet",
    "Polariser",
    "Prism",
    "Protocol",
    "Pulse",
    "Ramp",
    "Samples",
    "Scales",
    "Sine",
    "SpinTorque",
    "TorqueEfficiency",
    "Triangle",
    "Waveform",
    "__version__",
    "distribution",
    "engine",
    "evolve",
    "exact",
    "experiments",
    "fluctuation",
    "fokker_planck",
    "generating_function",
    "moments",
    "multilevel_means",
    "phase_diagram",
    "plot",
    "rare",
    "reference",
    "run",
    "scgf",
    "simulate",
    "simulate_statistics",
    "statistics",
    "steady_state",
    "steady_states",
    "summary",
    "sweep",
    "theory",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"spintherm.{_HOMES[name]}"), name)
    if name in _MODULES:
        return import_module(f"spintherm.{name}")
    raise AttributeError(f"module 'spintherm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
