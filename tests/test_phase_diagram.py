"""Phase diagrams: boundaries against closed forms and signs, every branch, bad input."""

import itertools

import numpy as np
import pytest
from scipy.optimize import brentq

from spintherm import Magnet, theory
from spintherm.fokker_planck import steady_state
from spintherm.fokker_planck.diagram import boundaries_of, phase_diagram
from spintherm.fokker_planck.plane import Axis, Plane
from spintherm.fokker_planck.zero_set import zero_set

PAPER = Magnet(moment=np.sqrt(3.0), gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)
DELTA = 0.5 * np.sqrt(3.0)
TILTED = Magnet(moment=1.4, gyromagnetic_ratio=0.7, damping=0.6, temperature=1.7)


@pytest.fixture(scope="module")
def figure_3():
    axes = Axis("alpha", 0.02, 3.0, 15), Axis("angle", 0.0, np.pi, 15)
    return phase_diagram(PAPER, *axes, spin_torque=1.0, workers=1, progress=False)


def torque(alpha, angle, field, moment):
    return alpha * field / moment * np.array([np.sin(angle), 0.0, np.cos(angle)])


# ---- zero sets of functions whose zeros are known ----


def followed(function, points=31):
    x = np.linspace(0.0, 1.0, points)
    grid = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1)
    values = function(grid.reshape(-1, 2)).reshape(points, points)
    return zero_set(function, values)


def test_a_circle_closes_and_is_round():
    (branch,) = followed(lambda u: np.sum((u - [0.52, 0.47]) ** 2, axis=1) - 0.09)
    assert branch.closed
    assert branch.complete
    radius = np.linalg.norm(branch.points - [0.52, 0.47], axis=1)
    np.testing.assert_allclose(radius, 0.3, atol=1e-11)
    np.testing.assert_array_equal(branch.points[0], branch.points[-1])
    angle = np.unwrap(np.arctan2(*(branch.points - [0.52, 0.47]).T))
    assert abs(angle[-1] - angle[0]) == pytest.approx(2 * np.pi)  # once around


def test_a_circle_cut_by_all_edges_is_four_arcs():
    branches = followed(lambda u: np.sum((u - 0.5) ** 2, axis=1) - 0.3)
    assert len(branches) == 4
    reach = np.sqrt(0.05)
    for branch in branches:
        assert branch.complete
        assert not branch.closed
        for end in (branch.points[0], branch.points[-1]):
            on_edge = np.isin(end, (0.0, 1.0))
            assert np.count_nonzero(on_edge) == 1
            assert abs(abs(end[~on_edge][0] - 0.5) - reach) < 1e-11


def test_two_branches_of_a_hyperbola_that_almost_touch_stay_apart():
    branches = followed(lambda u: (u[:, 0] - 0.5) * (u[:, 1] - 0.5) - 1e-4)
    assert len(branches) == 2
    for branch in branches:
        assert branch.complete
        side = np.sign(branch.points[:, 0] - 0.5)
        assert np.all(side == side[0])


def test_islands_and_a_wave_are_all_found():
    def product(u):
        x, y = u.T
        islands = ((x - 0.3) ** 2 + (y - 0.5) ** 2 - 0.01) * (
            (x - 0.7) ** 2 + (y - 0.5) ** 2 - 0.02
        )
        return islands * (y - 0.08 - 0.03 * np.sin(9 * x))

    branches = followed(product)
    assert sorted(branch.closed for branch in branches) == [False, True, True]
    assert all(branch.complete for branch in branches)


def test_nothing_is_found_where_nothing_is():
    assert followed(lambda u: 1.0 + u[:, 0]) == []


# ---- the boundaries of phases ----


def test_boundaries_meet_the_closed_forms_on_the_axis(figure_3):
    ends = {}
    for boundary in boundaries_of(figure_3):
        assert boundary.complete
        for x, y in ((boundary.x[0], boundary.y[0]), (boundary.x[-1], boundary.y[-1])):
            ends.setdefault((boundary.rate, y), []).append(x)
    assert ends["pumped_entropy_rate", np.pi] == [pytest.approx(DELTA, abs=1e-8)]
    assert ends["bath_entropy_rate", 0.0] == [pytest.approx(1.0 / DELTA, abs=1e-8)]


def test_rates_change_sign_at_the_boundaries_within_1e_8_of_angle(figure_3):
    """At 1e-8 in angle on both sides, of a state solved by itself, the sign differs."""
    for boundary in boundaries_of(figure_3):
        for k in range(2, len(boundary.x) - 2, 5):
            alpha, angle = boundary.x[k], boundary.y[k]
            field = PAPER.moment / alpha
            signs = [
                np.sign(
                    getattr(
                        steady_state(
                            PAPER, (0, 0, field), torque(alpha, theta, field, PAPER.moment)
                        ),
                        boundary.rate,
                    )
                )
                for theta in (angle - 1e-8, angle + 1e-8)
            ]
            slope_in_angle = np.hypot(*np.diff([boundary.x[k : k + 2], boundary.y[k : k + 2]]))
            if abs(boundary.x[k + 1] - alpha) > 0.05 * slope_in_angle[0]:
                assert signs[0] != signs[1], (boundary.rate, alpha, angle)


def test_the_two_boundaries_do_not_meet(figure_3):
    """Where both rates vanish nothing is produced, which needs P = 0."""
    one, other = boundaries_of(figure_3)
    distance = np.hypot(one.x[:, None] - other.x, one.y[:, None] - other.y)
    far = (one.x[:, None] > 0.05) & (other.x > 0.05)
    assert np.min(distance[far]) > 1e-3


def test_phases_of_the_grid_are_those_of_steady_states(figure_3):
    for i, j in itertools.product((0, 4, 9, 14), (1, 6, 7, 8, 13)):
        point = figure_3.isel(alpha=i, angle=j)
        alpha, angle = float(point.alpha), float(point.angle)
        field = PAPER.moment / alpha
        state = steady_state(PAPER, (0, 0, field), torque(alpha, angle, field, PAPER.moment))
        assert str(point.phase.item()) == state.phase
        for name in ("pumped_entropy_rate", "bath_entropy_rate", "entropy_production_rate"):
            assert float(point[name]) == pytest.approx(getattr(state, name), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("angle", [0.4, 2.2])
@pytest.mark.parametrize(
    ("y", "field"),
    [(Axis("field", 0.1, 3.0), 1.3), (Axis("spin_torque", 0.1, 3.0), 1.4 * 1.3 / 0.8)],
)
def test_negative_alpha_is_the_opposite_torque(angle, y, field):
    plane = Plane(TILTED, Axis("alpha", -2.0, -0.1), y, (("angle", angle),))
    scaled = plane.scaled_rates([-0.8], [1.3], tolerance=1e-12)[0]
    factor = plane.scale(np.array([-0.8]), np.array([1.3]))[0]
    other = torque(0.8, np.pi - angle, field, TILTED.moment)
    state = steady_state(TILTED, (0, 0, field), other)
    assert scaled[0] * factor == pytest.approx(state.pumped_entropy_rate, rel=1e-9)
    assert scaled[1] * factor == pytest.approx(state.bath_entropy_rate, rel=1e-9)


def test_boundaries_over_alpha_and_damping_are_minus_delta_and_one_over_delta():
    """P parallel to H: alpha = -m eta/gamma0 and gamma0/(m eta) for every damping."""
    axes = Axis("alpha", -3.0, 3.0, 25), Axis("damping", 0.2, 1.5, 9)
    diagram = phase_diagram(TILTED, *axes, field=1.1, workers=1, progress=False)
    found = {b.rate: b for b in boundaries_of(diagram)}
    assert len(boundaries_of(diagram)) == 2
    pumped, bath = found["pumped_entropy_rate"], found["bath_entropy_rate"]
    ratio = TILTED.moment / TILTED.gyromagnetic_ratio
    np.testing.assert_allclose(pumped.x, -ratio * pumped.y, atol=1e-8)
    np.testing.assert_allclose(bath.x, 1.0 / (ratio * bath.y), atol=1e-8)
    delta = ratio * diagram.damping.values[None, :]
    expected = theory.phase(diagram.alpha.values[:, None], delta)
    np.testing.assert_array_equal(diagram.phase.values, expected)  # equilibrium at alpha = 0 too


def test_boundaries_over_torque_and_temperature_against_a_root_finder():
    """At a tilt, with both axes unlike Fig. 3's and the torque reversed on half of them."""
    axes = Axis("spin_torque", -2.5, 2.5, 21), Axis("temperature", 0.5, 3.0, 9, "log")
    diagram = phase_diagram(TILTED, *axes, field=1.2, angle=0.6, workers=1, progress=False)
    p = np.array([np.sin(0.6), 0.0, np.cos(0.6)])
    boundaries = boundaries_of(diagram)
    assert {b.rate for b in boundaries} == {"pumped_entropy_rate", "bath_entropy_rate"}
    for boundary in boundaries:
        assert boundary.complete
        place = len(boundary.x) // 2
        here = Magnet(1.4, 0.7, 0.6, float(boundary.y[place]))

        def rate(P, magnet=here, name=boundary.rate):
            return getattr(steady_state(magnet, (0, 0, 1.2), P * p), name)

        x = float(boundary.x[place])
        assert brentq(rate, x - 0.05, x + 0.05, xtol=1e-12) == pytest.approx(x, abs=1e-8)


def test_processes_change_nothing():
    axes = Axis("alpha", 0.2, 3.0, 21), Axis("angle", 0.0, 3.0, 21)
    one, two = (
        phase_diagram(PAPER, *axes, spin_torque=1.0, workers=n, progress=False) for n in (1, 2)
    )
    assert one.identical(two)


# ---- bad input ----


@pytest.mark.parametrize(
    ("axes", "options", "words"),
    [
        ((Axis("alpha", -1, 1), Axis("angle", 0, 1)), {"spin_torque": 1.0}, "range without 0"),
        ((Axis("alpha", 0.1, 1), Axis("angle", 0, 1)), {}, "exactly two of"),
        ((Axis("alpha", 0.1, 1), Axis("field", 1, 2)), {"spin_torque": 1.0}, "exactly two of"),
        ((Axis("alpha", 0.1, 1), Axis("alpha", 1, 2)), {"field": 1.0}, "once"),
        ((Axis("alpha", 0.1, 1), Axis("field", 1, 2)), {"field": 1.0}, "once"),
        ((Axis("field", -1, 1), Axis("angle", 0, 1)), {"spin_torque": 1.0}, "field=-1.0"),
        ((Axis("damping", 0, 1), Axis("angle", 0, 1)), {"field": 1, "alpha": 1}, "damping"),
        ((Axis("moment", -1, 1), Axis("angle", 0, 1)), {"field": 1, "alpha": 1}, "moment"),
        (
            (Axis("gyromagnetic_ratio", -1, 1), Axis("angle", 0, 1)),
            {"field": 1, "alpha": 1},
            "gyromagnetic_ratio",
        ),
        ((Axis("alpha", 0.1, 1), Axis("angle", 0, 1)), {"spin_torque": -1.0}, "spin_torque"),
        ((Axis("temperature", 1, 2), Axis("angle", 0, 1)), {"field": 1, "alpha": 0}, "spin_torque"),
    ],
)
def test_what_is_no_plane_is_refused(axes, options, words):
    with pytest.raises(ValueError, match=words):
        phase_diagram(PAPER, *axes, **options)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("mass", 0, 1), "one of moment"),
        (("alpha", 1, 1), "low < high"),
        (("alpha", 0, np.inf), "finite"),
        (("alpha", 0, 1, 1), "at least 2"),
        (("alpha", 0, 1, 5, "log"), "> 0"),
        (("alpha", 0, 1, 5, "cubic"), "'linear' or 'log'"),
    ],
)
def test_what_is_no_axis_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        Axis(*arguments)
