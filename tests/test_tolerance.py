"""`simulate(..., tolerance=)`: the step bias hides behind the statistical error as asked.

The bias is measured against the density engine's exact means, with many more trajectories, so that
the statistical error that is left is small against the tolerance. Z = 4.5 raises a false alarm
once in 150 000 seeds; the seeds are fixed.
"""

import numpy as np
import pytest

from spintherm import Magnet, Protocol, Pulse, Ramp, Triangle, simulate
from spintherm.fokker_planck import functional_means
from spintherm.trajectories.bias import ESTIMATES
from spintherm.trajectories.engine import SCHEMES
from spintherm.trajectories.initial import initial_state
from spintherm.trajectories.tolerance import choose_steps

Z = 4.5
FUNCTIONALS = ESTIMATES[:5]


@pytest.fixture
def driven():
    """Strong enough for a bias that can be seen; tilted, with a jump."""
    return Protocol(
        1.2,
        Ramp((0.3, -0.2, 1.5), (0.9, 1.7, -1.4), 1.2) + Pulse((0.2, 0.4, -0.3), 0.4, 0.9),
        Triangle((0.8, 1.6, -1.1), 1.2),
    )


def exact_means(magnet, protocol):
    means = functional_means(magnet, protocol)
    return np.array([means[name] for name in FUNCTIONALS])


def means_and_deviations(run):
    samples = np.array([run[name].values for name in FUNCTIONALS])
    return samples.mean(axis=1), samples.std(axis=1, ddof=1)


@pytest.mark.parametrize(
    ("scheme", "tolerance", "trajectories", "more"),
    [("splitting", 2.0, 200_000, 10), ("euler-maruyama", 1.0, 10_000, 30)],
)
def test_bias_is_within_the_tolerance_and_steps_are_not_wasted(
    scheme, tolerance, trajectories, more, magnet, driven
):
    small = simulate(
        magnet, driven, trajectories=trajectories, seed=3, scheme=scheme, tolerance=tolerance
    )
    steps = small.attrs["steps"]
    exact = exact_means(magnet, driven)
    _, deviations = means_and_deviations(small)
    allowed = tolerance * deviations / np.sqrt(trajectories)
    many = more * trajectories

    def off(n):
        run = simulate(magnet, driven, trajectories=many, seed=4, scheme=scheme, steps=n)
        means, spread = means_and_deviations(run)
        return np.abs(means - exact), Z * spread / np.sqrt(many)

    bias, doubt = off(steps)
    assert np.all(bias < allowed + doubt)
    # with a third of the steps the bias is 3 or 9 times as large, and too large
    bias, doubt = off(max(steps // 3, 1))
    assert np.any(bias > allowed + doubt)
    attributes = small.attrs
    assert attributes["tolerance"] == tolerance
    assert attributes["tolerance_estimate"] in ESTIMATES
    assert 0.5 * tolerance < attributes["tolerance_ratio"] <= tolerance


@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_steps_follow_the_power_law_of_the_scheme(scheme, magnet, driven):
    """Sixteen times the trajectories, or a fourth of the tolerance: 4^(1/p) times the steps."""
    order = SCHEMES[scheme].order
    start = initial_state(magnet, driven, "equilibrium", 1)

    def steps(tolerance, trajectories):
        return choose_steps(
            magnet, driven, SCHEMES[scheme], start,
            tolerance=tolerance, trajectories=trajectories, seed=5, threads=2,
        ).steps  # fmt: skip

    few = steps(2.0, 100_000)
    for more in (steps(2.0, 1_600_000), steps(0.5, 100_000)):
        # the error of the pilot's bias, up to a third of it, shifts the steps by as much
        assert 4.0 ** (1.0 / order) / 1.7 < more / few < 4.0 ** (1.0 / order) * 1.7


def test_the_choice_is_that_of_the_seed_alone(magnet, protocol):
    runs = [
        simulate(magnet, protocol, trajectories=40_000, seed=6, tolerance=0.5, threads=threads)
        for threads in (1, 3)
    ]
    assert runs[0].identical(runs[1])
    named = simulate(
        magnet, protocol, trajectories=40_000, seed=6, steps=runs[0].attrs["steps"], threads=1
    )
    assert named.equals(runs[0])
    assert "tolerance" not in named.attrs


def test_tolerance_with_other_starts_and_saved_times(magnet, protocol):
    directions = np.random.default_rng(0).normal(size=(3000, 3))
    for initial in (directions, (0.0, 0.6, -0.8), "steady_state"):
        run = simulate(
            magnet, protocol, trajectories=3000, seed=1, tolerance=0.5, initial=initial,
            save_at=[0.1, 0.9],
        )  # fmt: skip
        assert 0.0 < run.attrs["tolerance_ratio"] <= 0.5
        assert run.moment.shape == (3000, 2, 3)


def test_quantities_that_never_change_ask_for_nothing():
    """Constant fields without torque: no work at all, heat without bias in the steady state."""
    run = simulate(
        Magnet(1.2, 0.9, 0.4, 0.7), Protocol(1.0, (0.1, 0.3, 0.5), None), trajectories=2000, seed=1,
        tolerance=0.5,
    )  # fmt: skip
    assert np.all(run.work == 0.0)
    assert run.attrs["steps"] < 200


def test_unreachable_tolerances_are_refused(magnet, protocol):
    with pytest.raises(ValueError, match=r"tolerance=1e-06.*not reached with 1000000 steps"):
        simulate(
            magnet, protocol, trajectories=10_000, seed=1, scheme="euler-maruyama", tolerance=1e-6
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tolerance": 0.0}, "tolerance=0.0: expected a finite number > 0"),
        ({"tolerance": "small"}, "tolerance='small'"),
        ({"tolerance": 0.5, "steps": 10}, "steps=10 and tolerance=0.5: expected one of them"),
        ({"tolerance": 0.5, "magnet": Magnet(1, 1, 1, 0)}, "temperature zero"),
    ],
)
def test_bad_input_is_named(change, message, magnet, protocol):
    arguments = {"magnet": magnet, "protocol": protocol, "trajectories": 4, "seed": 1, **change}
    with pytest.raises((ValueError, TypeError)) as error:
        simulate(arguments.pop("magnet"), arguments.pop("protocol"), **arguments)
    assert message in str(error.value)
