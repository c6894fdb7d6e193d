"""Datasets in the shape of the results, with invented numbers, for tests of figures."""

import numpy as np
import xarray as xr

from spintherm import Magnet

DELTA = 0.8
MAGNET = Magnet(moment=1.6, gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)


def processes() -> xr.Dataset:
    """Two invented processes: Gaussian Σ with mean and half the variance 2 and 3."""
    edges = np.linspace(-12, 24, 181)
    centres = 0.5 * (edges[1:] + edges[:-1])
    means = np.array([2.0, 3.0])
    density = np.exp(-((centres - means[:, None]) ** 2) / (4 * means[:, None]))
    density /= np.sqrt(4 * np.pi * means[:, None])
    points = np.tile(np.linspace(-5, 5, 11), (2, 1))
    points[0, -1] = np.nan
    one = {"detailed": 1.0, "crooks": 1.3}
    variables = {"density": (("process", "direction", "bin"), np.stack([density] * 2, 1))}
    for kind, slope in one.items():
        variables |= {
            f"{kind}_abscissa": (("process", "point"), points),
            f"{kind}_log_ratio": (("process", "point"), slope * points),
            f"{kind}_error": (("process", "point"), np.full_like(points, 0.1)),
            f"{kind}_line_slope": ("process", [slope, slope]),
            f"{kind}_line_slope_error": ("process", [0.01, 0.02]),
        }
    variables["crooks_z"] = ("process", [12.0, 5.0])
    coordinates = {
        "entropy_production": ("bin", centres),
        "direction": ["forward", "backward"],
        "process": ["(a) blue", "(b) orange"],
        "panel": ("process", ["(a)", "(b)"]),
        "colour": ("process", ["blue", "orange"]),
    }
    return xr.Dataset(variables, coords=coordinates)


def steady() -> xr.Dataset:
    curve = np.linspace(-1.6, 2.0, 181)
    alpha = np.array([-DELTA, 0.0, 0.5])
    rates = ["pumped_entropy_rate", "bath_entropy_rate", "entropy_production_rate"]
    phases = np.select(
        [curve < -DELTA, curve < 0, curve < 1 / DELTA], ["dud", "heat pump", "refrigerator"], "dud"
    )
    exact = np.array([alpha, -alpha, alpha**2])
    return xr.Dataset(
        {
            "curve": (("rate", "curve_alpha"), np.array([curve, -curve, curve**2])),
            "exact": (("rate", "alpha"), exact),
            "simulated": (("rate", "alpha"), exact + 0.02),
            "error": (("rate", "alpha"), np.full_like(exact, 0.01)),
            "phase": ("curve_alpha", phases),
        },
        coords={"rate": rates, "alpha": alpha, "curve_alpha": curve},
        attrs={"delta": DELTA, "nu": 1.6, "field": (0.0, 0.0, 1.0), **MAGNET.to_dict()},
    )


def with_panel_c(data: xr.Dataset) -> xr.Dataset:
    """A third process, so that every panel of [I] Fig. 1 has one."""
    third = data.isel(process=[1]).assign_coords(
        panel=("process", ["(c)"]), colour=("process", ["green"]), process=["(c) green"]
    )
    return xr.concat([data, third], "process", data_vars="all", join="exact")


def phase_diagram() -> xr.Dataset:
    """A diagram over alpha and angle with rates α/3 ± cos θ, and what [II] Fig. 3 adds."""
    alpha, angle = np.linspace(0.05, 2.0, 12), np.linspace(0.0, np.pi, 13)
    pumped = alpha[:, None] / 3 + np.cos(angle)[None, :]
    bath = alpha[:, None] / 3 - np.cos(angle)[None, :]
    phase = np.where(pumped < 0, "heat pump", np.where(bath < 0, "refrigerator", "dud"))
    theta, points = np.arccos(-alpha / 3), np.array([0.4, 1.2, 2.5])
    rate = ["pumped_entropy_rate", "bath_entropy_rate"]
    cut = np.array([[np.cos(angle)], [-np.cos(angle)]])
    return xr.Dataset(
        {
            "pumped_entropy_rate": (("alpha", "angle"), pumped),
            "bath_entropy_rate": (("alpha", "angle"), bath),
            "phase": (("alpha", "angle"), phase),
            "boundary_x": ("vertex", np.tile(alpha, 2)),
            "boundary_y": ("vertex", np.concatenate([theta, np.pi - theta])),
            "boundary_branch": ("vertex", np.repeat([0, 1], 12)),
            "branch_rate": ("branch", rate),
            "cut": (("rate", "cut_alpha", "cut_angle"), cut),
            "simulated": (("rate", "point"), np.array([np.cos(points), -np.cos(points)])),
            "error": (("rate", "point"), np.full((2, 3), 0.05)),
            "simulated_phase": ("point", ["refrigerator", "dud", "heat pump"]),
            "certain": ("point", [True, False, True]),
        },
        coords={
            "alpha": alpha,
            "angle": angle,
            "rate": rate,
            "cut_alpha": [0.5],
            "cut_angle": angle,
            "point_alpha": ("point", [0.5] * 3),
            "point_angle": ("point", points),
        },
        attrs={"x": "alpha", "y": "angle", "x_spacing": "linear", "y_spacing": "linear"},
    )


def ideal_engine() -> xr.Dataset:
    """Curves 3/H^k at two angles for five quantities, and points on them."""
    quantities = [
        "pumped_entropy_rate",
        "entropy_production_rate",
        "pumped_entropy_noise",
        "finite_time_noise",
        "uncertainty_ratio",
    ]
    field, few = np.geomspace(0.5, 50, 9), np.array([1.0, 5.0, 20.0])
    power = np.arange(5.0)[:, None, None] * np.ones((1, 2, 1))
    over = ("quantity", "angle")
    return xr.Dataset(
        {
            "curve": ((*over, "curve_field"), 3 * field**-power),
            "simulated": ((*over, "field"), 3 * few**-power),
            "error": ((*over, "field"), 0.1 * few**-power),
            "limit_power": ("curve_field", np.full(9, 3.0)),
            "limit_dissipation": ("curve_field", 2 / field),
            "limit_dissipation_as_printed": ("curve_field", 1 / field),
            "limit_noise": (("angle", "curve_field"), np.stack([field**-3, field**-2])),
            "ratio_against_alpha": (("nu", "alpha"), np.array([[0.1, 0.5, 2.0], [1.0, 3.0, 0.2]])),
            "ratio_map": (("map_alpha", "map_angle"), np.geomspace(1e-3, 10, 20).reshape(5, 4)),
        },
        coords={
            "quantity": quantities,
            "angle": [0.0, 60.0],
            "curve_field": field,
            "field": few,
            "nu": [1.0, 3.0],
            "alpha": [-1.0, 0.5, 2.0],
            "map_alpha": np.geomspace(0.02, 2.5, 5),
            "map_angle": np.linspace(0, 180, 4),
        },
        attrs={"short_duration": 0.5, "moment": 3**0.5, "temperature": 1.0, "spin_torque": 1.0},
    )


def densities() -> xr.Dataset:
    """A density of Σ with the weights of a reweighted sample."""
    sigma = np.linspace(-3, 6, 31)
    density = np.exp(-((sigma - 2) ** 2) / 4)
    variables = {"density": density, "error": 0.1 * density, "effective_samples": np.full(31, 20.0)}
    return xr.Dataset(
        {name: ("entropy_production", values) for name, values in variables.items()},
        coords={"entropy_production": sigma},
    )


def writes() -> xr.Dataset:
    """Write errors and the cost of a write against the length of the pulse."""
    decay = np.exp(-np.linspace(1, 9, 5))
    return xr.Dataset(
        {
            "write_error_rate": (("current", "pulse_length"), np.stack([decay] * 3)),
            "settled_heat": ("pulse_length", -decay),
            "pumped_entropy": ("pulse_length", decay),
            "landauer_bound": ("pulse_length", np.full(5, 0.69)),
        },
        coords={
            "pulse_length": ("pulse_length", np.linspace(1, 9, 5), {"units": "ns"}),
            "current": ("current", [-1.0, 0.0, 1.0], {"units": "MA"}),
        },
    )


def states() -> xr.Dataset:
    """Stable states over field and current."""
    return xr.Dataset(
        {"states": (("field", "current"), np.array([[1, 2, 3], [4, 5, 6]]))},
        coords={"field": [0.0, 1.0], "current": [-1.0, 0.0, 1.0]},
    )


def dwell_times() -> xr.Dataset:
    """Mean times in two wells."""
    times = {"parallel": [1.0, 2.0, 4.0], "antiparallel": [4.0, 2.0, 1.0]}
    return xr.Dataset(
        {f"dwell_time_{side}": ("current", one, {"units": "s"}) for side, one in times.items()},
        coords={"current": [-1.0, 0.0, 1.0]},
    )


def loops() -> xr.Dataset:
    """Two loops of hysteresis."""
    return xr.Dataset(
        {"mean_moment": (("frequency", "phase"), np.array([[0.0, 1.0, 0.0, -1.0]] * 2))},
        coords={
            "frequency": ("frequency", [1.0, 2.0], {"units": "Hz"}),
            "field": ("phase", [0.0, 1.0, 0.0, -1.0]),
        },
    )
