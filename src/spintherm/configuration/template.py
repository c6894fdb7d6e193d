"""The template: a study with a comment at every key, which runs as it stands."""

from __future__ import annotations

from typing import Any

TEMPLATE = """\
# A study of spintherm: one magnet, what is done to it, what is computed, what varies.
#   spintherm check FILE               is it right, and what will it cost?
#   spintherm run FILE --out FOLDER    compute it; can be interrupted and resumed
#   spintherm schema                   JSON schema, for completion in an editor
# Values below are examples; a line that begins with "#!" is an alternative.

version = 1
title = "A field that turns over under a pulse of spin torque"

# --- the magnet, in reduced units: k_B = 1 --------------------------------------------------------
[magnet]
moment = 1.7320508075688772     # |m| > 0
gyromagnetic_ratio = 1.0        # gamma0, rate per field, not 0
damping = 0.5                   # eta >= 0, rate per energy; eta |m|/gamma0 is Gilbert's alpha
temperature = 1.0               # T >= 0, energy
#! anisotropy = { uniaxial = 5.0, axis = [0, 0, 1] }    # K sin^2; also: fourth_order, cubic, terms
#! polarisers = [{ direction = [0, 1, 1], asymmetry = 0.3, field_like = 0.1 }]    # torque along it

# --- or a material, with units (a number alone is in SI) ------------------------------------------
#! [material]
#! saturation_magnetisation = "1000 kA/m"
#! gilbert_damping = 0.01
#! temperature = "300 K"
#! cylinder = ["40 nm", "1.3 nm"]      # or: ellipsoid, prism, volume = "500 nm^3" without shape
#! anisotropy = "0.9 MJ/m^3"           # K sin^2 about z; or a table as above
#! gyromagnetic_ratio = "28 GHz/T"
#! current = { polarisation = 0.6, asymmetry = 1.0, polariser = [0, 0, 1], field_like = 0.0 }

# --- what is done in time -------------------------------------------------------------------------
# A waveform is a vector, which is constant, or a table:
#   kind = "ramp", start, stop, duration, delay        kind = "triangle", peak, duration, delay
#   kind = "pulse", amplitude, start, stop             kind = "sine", amplitude, frequency, phase
#   kind = "samples", times, vectors                   kind = "sum", parts = [...]
#   kind = "scaled", waveform, factor                  kind = "reversed", waveform, duration, sign
# Beside a material times and fields have units: "5 ns", "1 GHz", "50 mT", "40 kA/m".
[protocol]
duration = 1.0
field = { kind = "ramp", start = [0, 0, 1], stop = [0, 0, -1], duration = 1.0 }
spin_torque = { kind = "triangle", peak = [0, 1, 1], duration = 1.0 }
#! current_density = { kind = "pulse", amplitude = "-4 MA/cm^2", start = "1 ns", stop = "3 ns" }

# --- or constant fields, for steady-state, dwell-times and write-error ----------------------------
#! [point]
#! field = [0, 0, 1]
#! spin_torque = [0, 0, 0.3]           # current_density = "-4 MA/cm^2" beside a material

# --- what is computed -----------------------------------------------------------------------------
# Sampled:  statistics (moments, averages, histograms), trajectories (every one of them).
# Densities of a protocol:  evolution, moments, distribution.  Of a point:  steady-state,
# dwell-times, write-error.
[compute]
quantity = "statistics"
trajectories = 100000
seed = 1
scheme = "splitting"            # euler-maruyama, exact-ft
#! steps = 64                   # chosen from the fastest rate if not given
#! tolerance = 0.5              # of trajectories, instead: step bias over statistical error
#! initial = "steady_state"     # equilibrium, or a direction
#! fast = true                  # faster arithmetic for splitting
#! bins = 200                   # of statistics; or { work = 200, heat = [-2.0, 0.0, 2.0] }
#! save_at = { count = 101 }    # of trajectories and evolution; or a list of times
#! chunk = 16384                # trajectories of a task: what an interruption can lose

# --- what varies ----------------------------------------------------------------------------------
# Keys are those of this file: "point.field.2" is a component. Methods: grid (the product of the
# axes), zip (axes in step), list (points = [{...}, {...}]), random and latin-hypercube (samples,
# seed), adaptive (samples, target = "an output"; points go to where it changes sign).
[sweep]
method = "grid"

[sweep.axes]
"magnet.temperature" = { start = 0.5, stop = 2.0, count = 4, spacing = "log" }
"protocol.spin_torque.peak" = { values = [[0, 1, 1], [0, 2, 2]] }

# --- what is kept ---------------------------------------------------------------------------------
[output]
histograms = true
#! variables = ["mean", "mean_error", "variance"]       # everything if not given
#! time_stride = 10                                     # of the saved times each tenth
#! trajectory_stride = 100                              # of the trajectories each hundredth
"""


_WORDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


def template() -> str:
    """Return a study in TOML with comments, which `loads` takes as it stands.

    Returns
    -------
    str
        TOML; lines that begin with "#!" are alternatives.
    """
    return TEMPLATE


def schema() -> dict[str, Any]:
    """Return the JSON schema of a study, for editors that complete and check TOML.

    Returns
    -------
    dict
        JSON Schema, draft 2020-12. It knows keys, types and ranges; what depends on several keys is
        checked by `load` alone.
    """
    from spintherm.configuration.study import Study

    found = _tidied(Study.model_json_schema(by_alias=True))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def _tidied(node: Any) -> Any:
    """Take out null, which TOML does not have, and give limits the words of JSON Schema."""
    if isinstance(node, list):
        return [_tidied(one) for one in node if one != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    found = {_WORDS.get(key, key): _tidied(value) for key, value in node.items()}
    if found.get("default", 0) is None:
        del found["default"]
    if len(found.get("anyOf", ())) == 1:
        (only,) = found.pop("anyOf")
        found = {**only, **found}
    return found
