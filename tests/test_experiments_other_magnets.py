"""The papers' experiments for magnets of one's own: with anisotropy, with polarisers, or neither.

Exact rates are compared with quadratures written down here, trajectories with exact rates by the
verdicts themselves: 4 standard errors each, false alarms 6e-5, of which some hundred are looked at
with fixed seeds.
"""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import xarray as xr

from spintherm import Anisotropy, Magnet, Polariser, TorqueEfficiency, plot
from spintherm.experiments import (
    PAPER_MAGNET,
    Resolution,
    Size,
    beyond_the_papers,
    ideal_engine,
    pages,
    phases,
    reproduce,
    reproduction,
    steady,
    table_one,
)
from spintherm.experiments.exact_driven import exact_driven
from spintherm.experiments.geometry import PAPER, Geometry
from spintherm.experiments.sizes import ExactDensities
from spintherm.experiments.watch import watching
from spintherm.fokker_planck import ResolutionError
from spintherm.fokker_planck.diagram import phase_diagram
from spintherm.fokker_planck.plane import Axis

LINE = np.array([2.0, -1.0, 2.0]) / 3.0
LAYER = Magnet(
    0.9,
    1.4,
    0.6,
    1.7,
    anisotropy=Anisotropy.uniaxial(0.8, LINE),
    polarisers=Polariser(LINE, TorqueEfficiency.slonczewski(1.5), field_like=0.2),
)
TURNED = Magnet(1.3, 1.7, 0.4, 0.8, polarisers=Polariser((-0.48, 0.6, 0.64)))
UNIFORM = Magnet(1.3, 1.7, 0.4, 0.8)
SMALL = Size(
    "small",
    "seconds",
    trajectories=20_000,
    alphas=6,
    steady_trajectories=20_000,
    resolution=Resolution(curve=3, map=3, diagram=5),
    densities=ExactDensities(tolerance=1e-2, floor=1e-3),
)


def angles(process):
    """Strengths of H and P and their scalar products at some times."""
    times = process.protocol.duration * np.array([0.0, 0.21, 0.5, 0.83, 1.0])
    H, P = process.protocol.field(times), process.protocol.spin_torque(times)
    return H @ H.T, P @ P.T, H @ P.T


@pytest.mark.parametrize("magnet", [LAYER, TURNED])
def test_table_one_is_turned_as_a_whole(magnet):
    for ours, papers in zip(table_one(magnet), table_one(), strict=True):
        for one, other in zip(angles(ours), angles(papers), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-14)
        P = ours.protocol.spin_torque(0.4 * ours.protocol.duration)
        assert magnet.torque_amplitude(P) == pytest.approx(np.linalg.norm(P), rel=1e-14)
        assert (ours.name, ours.panel, ours.magnet) == (papers.name, papers.panel, magnet)


def test_half_a_turn_is_a_rotation():
    """A polariser against the torque of the table: no smallest rotation is the only one."""
    down = Magnet(1.3, 1.7, 0.4, 0.8, polarisers=Polariser((0.0, 0.0, -1.0)))
    for ours, papers in zip(table_one(down)[:3], table_one()[:3], strict=True):
        for one, other in zip(angles(ours), angles(papers), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-14)


def test_processes_beyond_the_papers_for_one_magnet():
    for ours, papers in zip(beyond_the_papers(LAYER), beyond_the_papers(), strict=True):
        np.testing.assert_allclose(angles(ours)[0], angles(papers)[0], atol=1e-14)
        P = ours.protocol.spin_torque(0.6 * ours.protocol.duration)
        assert abs(LAYER.torque_amplitude(P)) == pytest.approx(np.linalg.norm(P), rel=1e-13)
    bare = beyond_the_papers(UNIFORM)
    assert {process.magnet for process in bare} == {UNIFORM}
    assert [p.protocol for p in bare] == [p.protocol for p in beyond_the_papers()]


@pytest.mark.parametrize("magnet", [LAYER, TURNED, UNIFORM])
@pytest.mark.parametrize("angle", [0.0, 0.7, np.pi])
def test_strengths_and_angle_of_a_geometry(magnet, angle):
    H, P = Geometry(magnet).vectors(2.0, 0.5, angle)
    assert (np.linalg.norm(H), np.linalg.norm(P)) == pytest.approx((2.0, 0.5), rel=1e-15)
    assert np.dot(H, P) == pytest.approx(np.cos(angle), abs=1e-15)
    if magnet.polarisers:
        assert magnet.torque_amplitude(P) == pytest.approx(0.5, rel=1e-15)


def rates_by_quadrature(magnet, H, P):
    """Ṡ_P and Ṡ_B where all share one axis, with c the cosine from it and s² = 1 - c².

    The density is p ∝ exp{[mc(H + H_FL) - E_a]/T + γ₀mP₀G(c)/(ηT)}, G' = g. The mean work of the
    torque is that of the velocity, whose part about the axis is γ₀H_eff - ηm²P in angle per time:
    Ṡ_B = β⟨(m×P)·v⟩ = β m² ⟨s² P (ηm²P - γ₀H_eff)⟩.
    """
    (polariser,) = magnet.polarisers
    axis = polariser.vector
    m, eta, gamma, T = magnet.moment, magnet.damping, magnet.gyromagnetic_ratio, magnet.temperature
    field = (H + magnet.field_of_current(P)) @ axis
    amplitude = P @ axis
    c, w = np.polynomial.legendre.leggauss(200)
    across = np.cross(axis, [0.0, 0.0, 1.0]) / np.linalg.norm(np.cross(axis, [0.0, 0.0, 1.0]))
    n = c[:, None] * axis + np.sqrt(1.0 - c**2)[:, None] * across
    push = gamma * m / eta * amplitude
    psi = (m * c * field - magnet.anisotropy(n) + push * polariser.efficiency.integral(c)) / T
    p = w * np.exp(psi - psi.max())
    p /= p.sum()
    torque = amplitude * polariser.efficiency(c)
    local = field + 2.0 * 0.8 * c / m  # of E_a = 0.8 (1 - c²)
    bath = m**2 * (1.0 - c**2) * torque * (eta * m**2 * torque - gamma * local) / T
    return p @ magnet.pumped_entropy_rate(m * n, P), p @ bath


def test_exact_rates_along_one_axis_are_those_of_a_quadrature():
    geometry = Geometry(LAYER)
    curve, rates, special = steady._known(geometry)
    for place in (0, 20, 45, 70):
        protocol = steady.protocol_at(curve[place], geometry)
        expected = rates_by_quadrature(LAYER, protocol.final_field, protocol.final_spin_torque)
        np.testing.assert_allclose(rates[:2, place], expected, rtol=1e-7)
        assert rates[2, place] == pytest.approx(sum(expected), rel=1e-7)
    assert 0.0 in special
    assert len(special) == 2  # a heat pump, and no end of the refrigerator in this range
    for alpha in special[special != 0.0]:
        protocol = steady.protocol_at(alpha, geometry)
        both = rates_by_quadrature(LAYER, protocol.final_field, protocol.final_spin_torque)
        assert min(np.abs(both)) < 1e-6 * max(np.abs(both))


def test_a_magnet_that_cannot_be_resolved_is_refused_with_the_reason(monkeypatch):
    def refused(*_, **__):
        raise ResolutionError("a band matrix of 2 GiB")

    monkeypatch.setattr(steady, "steady_rates", refused)
    weak = Magnet(1.0, 1.0, 0.01, 1.0, anisotropy=Anisotropy.uniaxial(8.0, (0.6, 0.0, 0.8)))
    message = r"α = mP/H from -1.65 to 2.15 .*: a band matrix of 2 GiB; its δ = mη/γ₀ is 0.01"
    with pytest.raises(ResolutionError, match=message):
        steady.alphas(SMALL, Geometry(weak))


def test_phases_of_another_uniform_magnet_end_at_delta():
    geometry = Geometry(UNIFORM)
    delta = 1.3 * 0.4 / 1.7
    assert geometry.delta == pytest.approx(delta, rel=1e-15)
    assert steady._known(geometry)[2] == pytest.approx([-delta, 0.0])  # 1/δ is out of the range
    with watching(False, 1, 1) as watch:
        found = steady.steady(SMALL, 3, 1, watch, geometry=geometry)
    assert {verdict.outcome for verdict in found.verdicts} == {"pass"}
    assert [v.quantity for v in found.verdicts if "law" in v.quantity] == [
        "first law, largest |W + Q - ΔE|",
        "smallest exact Σ, the second law",
    ]
    assert plot.steady_state_figure(found.data).shape == (2,)


def test_closed_forms_are_judged_for_every_uniform_magnet():
    geometry = Geometry(UNIFORM)
    verdicts = list(ideal_engine._closed_verdicts("Fig. 4", geometry, 3))
    assert len(verdicts) == 8
    assert {verdict.outcome for verdict in verdicts} == {"pass"}
    grid = Axis("alpha", *phases.ALPHA_RANGE, 9), Axis("angle", 0.0, np.pi, 9)
    diagram = phase_diagram(UNIFORM, *grid, spin_torque=1.0, workers=1, progress=False)
    verdicts = list(phases._boundary_verdicts("Fig. 3", geometry, diagram))
    assert len(verdicts) == 4  # 1/δ is out of the range
    assert {verdict.outcome for verdict in verdicts} == {"pass"}


def test_the_papers_magnet_is_known_by_its_numbers():
    assert Geometry(PAPER_MAGNET).is_paper
    assert PAPER.has_closed_forms
    assert not Geometry(UNIFORM).is_paper
    assert not Geometry(LAYER).has_closed_forms


@pytest.fixture(scope="module")
def own(tmp_path_factory, quick_pictures, few_points_of_boundaries):
    """All figures for the layer, few angles and weak fields.

    A process of each panel, with H along the layer's axis: one by several names, with ensembles of
    their own for each, which is solved once.
    """
    first = table_one(LAYER)[1]
    panels = replace(first, name="(b) blue", panel="(b)"), replace(first, name="(c)", panel="(c)")
    other = replace(first, name="again", panel="beyond", colour="sky")
    solved = cache(exact_driven)

    def by_its_physics(process, accuracy):
        return solved(replace(process, name="", panel="", colour="", shift=0.0), accuracy)

    with pytest.MonkeyPatch.context() as patch:
        chosen = (first, *panels), (other,)
        patch.setattr(reproduction, "_processes", lambda geometry: chosen)
        patch.setattr(reproduction, "exact_driven", by_its_physics)
        patch.setattr(phases, "SOLVED_ALPHA_RANGE", (0.8, 3.0))
        patch.setattr(phases, "CUTS", (1.5,))
        patch.setattr(phases, "_SOLVED_CUT_POINTS", 13)
        patch.setattr(phases, "_ANGLES", 3)
        patch.setattr(ideal_engine, "ANGLES", (0, 60, 180))
        patch.setattr(ideal_engine, "SOLVED_FIELDS", (0.7, 1.5))
        patch.setattr(ideal_engine, "SOLVED_CURVE_RANGE", (0.5, 2.0))
        patch.setattr(ideal_engine, "_SOLVED_MAP_ALPHA", (0.8, 3.0))
        patch.setattr(ideal_engine, "_SOLVED_ALPHA_CURVE", 7)
        folder = tmp_path_factory.mktemp("own")
        return reproduce(SMALL, folder, seed=4, magnet=LAYER, threads=1, progress=False)


def test_every_figure_of_both_papers_for_a_layer(own):
    assert [v for v in own.verdicts if v.outcome == "fail"] == []
    names = {path.name for path in own.folder.iterdir()}
    for figure in ("I-figure-1", "I-figure-2", "II-figure-2", "II-figure-3", "II-figure-4"):
        assert {f"{figure}.{suffix}" for suffix in ("svg", "png", "nc")} <= names
    quantities = {v["quantity"] for v in json.loads((own.folder / "verdicts.json").read_text())}
    for demand in ("first law", "second law", "joint theorem", "λ_H(k_W, k_S)", "Bennett"):
        assert any(demand in quantity for quantity in quantities), demand
    for papers in ("18a", "18b", "Crooks", "against δ", "16 and 56", "largest standard error"):
        assert not any(papers in quantity for quantity in quantities), papers


def test_histograms_hold_what_the_magnet_produces(own):
    with xr.open_dataset(own.folder / "I-figure-1.nc", engine="h5netcdf") as data:
        width = np.diff(data["entropy_production"].values).mean()
        mass = data["density"].sum("bin") * width
    assert float(abs(mass - 1.0).max()) < 5e-3  # the exact densities go down to 1e-3


def test_the_report_names_the_magnet_and_its_lines_run(own, capsys):
    html = (own.folder / "report.html").read_text("utf-8")
    assert "anisotropy energy" in html
    assert "PAPER_MAGNET" not in html
    assert "magnet=magnet" in html
    assert "magnet.reversed()" in html
    few = Size("few", "", trajectories=2000, alphas=2, steady_trajectories=200)
    exec(compile(pages._loop("table_one", "joint_theorem", few, 1, LAYER), "lines", "exec"), {})
    assert "(c) green" in capsys.readouterr().out
    example = pages._example(table_one(LAYER)[1], few, 1)
    exec(compile(example, "lines", "exec"), {})
    for code in pages._codes_of_another(few, LAYER)[:1]:
        exec(compile(code, "lines", "exec"), {})
    pumped = capsys.readouterr().out.splitlines()[-1]
    protocol = steady.protocol_at(0.5, Geometry(LAYER))
    exact = rates_by_quadrature(LAYER, protocol.final_field, protocol.final_spin_torque)[0]
    assert float(pumped) == pytest.approx(exact, rel=1e-7)


def test_a_torque_of_the_wrong_strength_is_noticed(monkeypatch):
    geometry, right = Geometry(LAYER), steady.protocol_at
    monkeypatch.setattr(steady, "protocol_at", lambda alpha, g: right(1.1 * alpha, g))
    with watching(False, 1, 1) as watch:
        broken = steady.steady(SMALL, 3, 1, watch, geometry=geometry)
    assert any(verdict.outcome == "fail" for verdict in broken.verdicts)


@pytest.mark.parametrize(
    ("magnet", "error", "problem"),
    [
        ("iron", TypeError, "magnet='iron': expected a Magnet, or None"),
        (Magnet(1.0, 1.0, 0.5, 0.0), ValueError, "damping and temperature above zero"),
    ],
)
def test_magnets_without_a_bath_are_refused(tmp_path, magnet, error, problem):
    with pytest.raises(error, match=problem):
        reproduce(SMALL, tmp_path, magnet=magnet)
