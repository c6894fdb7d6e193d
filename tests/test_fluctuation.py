"""Fluctuation theorems on data for which they hold exactly, without a simulator.

Three sources, all at temperatures other than 1: normal (W, S_P), for which the joint theorem is an
identity between covariance and mean; the sudden quench of a paramagnet; and a driven Markov chain
whose paths are enumerated. Seeds are fixed. Single z-scores are compared with 4 (with another seed
a right code fails once in 16 000), R of them with 4/sqrt(R) for their mean and 4/sqrt(2 R) for
their standard deviation (once in 10 000 each).
"""

import itertools
import math

import numpy as np
import pytest
import xarray as xr

from spintherm import fluctuation as fl
from spintherm.statistics import normal_z

T, CHANGE = 0.6, -0.7
COVARIANCE = np.array([[1.2, 0.5], [0.5, 0.9]])


def dataset(work, pumped, change, seed, *, temperature=T, sigma=None, **attributes):
    """Return what `simulate` returns, as far as the theorems read it."""
    if sigma is None:
        sigma = (work - change) / temperature + pumped
    variables = {"work": work, "pumped_entropy": pumped, "entropy_production": sigma}
    return xr.Dataset(
        {key: ("trajectory", np.array(value)) for key, value in variables.items()}
        | {"free_energy_change": change},
        attrs={"temperature": temperature, "seed": seed, **attributes},
    )


def normal_pair(seed, sizes, covariance=COVARIANCE):
    """Draw (beta (W - dF), S_P) with mean C.(1, 1)/2, forward and backward alike.

    ln p(x) - ln p(-x) = 2 mean.C^-1.x = x_1 + x_2: the joint theorem.
    """
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(covariance)
    pair = []
    for number, (size, sign) in enumerate(zip(sizes, (1.0, -1.0), strict=True)):
        x = rng.normal(size=(size, 2)) @ root.T + covariance.sum(axis=1) / 2.0
        pair.append(dataset(T * x[:, 0] + sign * CHANGE, x[:, 1], sign * CHANGE, number))
    return pair


def quench_pair(seed, size, start=(0.3, -0.5, 1.1), stop=(-0.4, 0.2, 0.7), moment=1.7):
    """Change the field of a paramagnet in equilibrium at once: W = -m.(H1 - H0), no S_P."""
    rng = np.random.default_rng(seed)
    start, stop = np.array(start), np.array(stop)

    def equilibrium(field):
        strength = np.linalg.norm(field)
        nu, axis = moment * strength / T, field / strength
        u = rng.random(size)
        c = 1.0 + np.log(u + (1.0 - u) * math.exp(-2.0 * nu)) / nu
        across = np.linalg.svd(axis[None])[2][1:]
        angle = 2.0 * np.pi * rng.random(size)
        ring = np.outer(np.cos(angle), across[0]) + np.outer(np.sin(angle), across[1])
        return moment * (c[:, None] * axis + np.sqrt(1.0 - c**2)[:, None] * ring)

    def free_energy(field):
        nu = moment * np.linalg.norm(field) / T
        return -T * math.log(math.sinh(nu) / nu)

    change = free_energy(stop) - free_energy(start)
    work = [-equilibrium(start) @ (stop - start), -equilibrium(-stop) @ (stop - start)]
    zero = np.zeros(size)
    return dataset(work[0], zero, change, 1), dataset(work[1], zero, -change, 2)


class Chain:
    """A chain of three states in five steps: energies change, and a drive pumps around the ring.

    ln K(i -> j)/K(j -> i) = -beta (E_j - E_i) + beta w_ij + p_ij with antisymmetric w, p; the
    chain does work w and pumps entropy p with each jump.
    """

    steps = 5
    ring = 0.2 * np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]])

    def __init__(self):
        rng = np.random.default_rng(42)
        n = self.steps
        self.energy = rng.normal(scale=0.3, size=(n + 1, 3))
        work, pump = (x - x.transpose(0, 2, 1) for x in rng.normal(scale=0.2, size=(2, n, 3, 3)))
        self.work, self.pump = work, pump + 0.8 * work / T + self.ring
        jump = self.energy[1:, None, :] - self.energy[1:, :, None]
        rate = 0.2 * np.exp(0.5 * (-jump / T + self.work / T + self.pump))
        for matrix in rate:
            np.fill_diagonal(matrix, 0.0)
            np.fill_diagonal(matrix, 1.0 - matrix.sum(axis=1))
        assert rate.min() > 0.0
        self.rate = rate
        self.paths = np.array(list(itertools.product(range(3), repeat=n + 1)))
        weight = np.exp(-self.energy[[0, -1]] / T)
        self.equilibrium = weight / weight.sum(axis=1, keepdims=True)
        self.change = float(-T * np.log(weight[1].sum() / weight[0].sum()))

    def forward(self):
        """Return probability, W and S_P of every path; at each step E changes, then s jumps."""
        probability = self.equilibrium[0][self.paths[:, 0]].copy()
        work, pumped = np.zeros((2, len(self.paths)))
        for k in range(self.steps):
            before, after = self.paths[:, k], self.paths[:, k + 1]
            work += (self.energy[k + 1] - self.energy[k])[before] + self.work[k][before, after]
            pumped += self.pump[k][before, after]
            probability *= self.rate[k][before, after]
        return probability, work, pumped

    def backward(self):
        """Return the same for the reverse process, in which s jumps, then E changes back."""
        probability = self.equilibrium[1][self.paths[:, 0]].copy()
        work, pumped = np.zeros((2, len(self.paths)))
        for k in reversed(range(self.steps)):
            before, after = self.paths[:, self.steps - 1 - k], self.paths[:, self.steps - k]
            work += (self.energy[k] - self.energy[k + 1])[after] + self.work[k][before, after]
            pumped += self.pump[k][before, after]
            probability *= self.rate[k][before, after]
        return probability, work, pumped

    def pair(self, seed, size):
        rng = np.random.default_rng(seed)
        found = []
        for number, (law, sign) in enumerate(((self.forward(), 1.0), (self.backward(), -1.0))):
            drawn = rng.choice(len(self.paths), size=size, p=law[0] / law[0].sum())
            found.append(dataset(law[1][drawn], law[2][drawn], sign * self.change, number))
        return found


@pytest.fixture(scope="module")
def chain():
    return Chain()


@pytest.fixture(scope="module")
def large():
    return normal_pair(1, (200_000, 150_000))


def assert_calibrated(z, slack=0.0):
    z = np.asarray(z)
    assert abs(z.mean()) < 4.0 / math.sqrt(z.size) + slack
    assert abs(z.std(ddof=1) - 1.0) < 4.0 / math.sqrt(2.0 * z.size)


def spoil(ensemble, **variables):
    return ensemble.assign({key: ("trajectory", value) for key, value in variables.items()})


# the theorems hold


def test_enumerated_chain_obeys_the_joint_theorem_path_by_path(chain):
    probability, work, pumped = chain.forward()
    mirrored, mirrored_work, mirrored_pumped = chain.backward()
    reverse = [int("".join(map(str, path[::-1])), 3) for path in chain.paths]
    np.testing.assert_allclose(mirrored_work[reverse], -work, atol=1e-12)
    np.testing.assert_allclose(mirrored_pumped[reverse], -pumped, atol=1e-12)
    sigma = (work - chain.change) / T + pumped
    np.testing.assert_allclose(mirrored[reverse], probability * np.exp(-sigma), rtol=1e-12)
    assert probability.sum() == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("source", ["normal", "quench", "chain"])
def test_theorems_hold_on_every_source(source, chain):
    pairs = {
        "normal": lambda: normal_pair(2, (60_000, 40_000)),
        "quench": lambda: quench_pair(3, 50_000),
        "chain": lambda: chain.pair(4, 50_000),
    }
    forward, backward = pairs[source]()
    for ensemble in (forward, backward):
        integral = fl.integral_theorem(ensemble)
        assert abs(integral.deviation) < 4.0
        assert not integral.dominated
    detailed = fl.detailed_theorem(forward, backward)
    assert abs(detailed.slope.deviation(1.0)) < 4.0
    assert abs(detailed.line.slope.deviation(1.0)) < 4.0
    assert detailed.chi_squared.z < 4.0
    assert detailed.balance.chi_squared.z < 4.0
    assert detailed.line.wald(0.0, 1.0).z < 4.0
    joint = fl.joint_theorem(forward, backward)
    assert abs(joint.work.deviation(1.0)) < 4.0
    assert abs(joint.intercept.deviation(0.0)) < 4.0
    assert joint.chi_squared.z < 4.0
    assert fl.conditional_theorem_work(forward, backward).chi_squared.z < 4.0
    assert fl.conditional_theorem_pumped_entropy(forward, backward).chi_squared.z < 4.0
    free_energy = fl.free_energy_difference(forward, backward)
    assert abs(free_energy.deviation) < 4.0
    assert free_energy.estimate.error < 0.01
    crooks = fl.crooks_work(forward, backward)
    if source == "quench":  # no torque
        assert crooks.z < 4.0
    else:
        assert crooks.z > 10.0


def test_theorems_are_symmetric_in_the_two_processes(large):
    forward, backward = large
    there, back = fl.joint_theorem(forward, backward), fl.joint_theorem(backward, forward)
    assert there.work.value == pytest.approx(back.work.value, abs=1e-6)
    assert there.intercept.value == pytest.approx(-back.intercept.value, abs=1e-6)
    there = fl.free_energy_difference(forward, backward)
    back = fl.free_energy_difference(backward, forward)
    assert there.estimate.value == pytest.approx(-back.estimate.value, abs=1e-7)
    assert there.estimate.error == pytest.approx(back.estimate.error, rel=1e-5)


def test_errors_are_the_scatter_of_the_estimates():
    z, chi = {}, {}
    for k in range(300):
        pair = normal_pair([5, k], (2400, 1200))
        detailed, joint = fl.detailed_theorem(*pair), fl.joint_theorem(*pair)
        scores = {
            "detailed slope": detailed.slope.deviation(1.0),
            "detailed intercept": detailed.intercept.deviation(0.0),
            "work": joint.work.deviation(1.0),
            "pumped entropy": joint.pumped_entropy.deviation(1.0),
            "joint intercept": joint.intercept.deviation(0.0),
            "free energy": fl.free_energy_difference(*pair).deviation,
        }
        for key, value in scores.items():
            z.setdefault(key, []).append(value)
        tests = (
            detailed.chi_squared,
            detailed.balance.chi_squared,
            detailed.line.residual,
            joint.chi_squared,
            fl.conditional_theorem_work(*pair, bins=12).chi_squared,
            fl.conditional_theorem_pumped_entropy(*pair, bins=12).chi_squared,
        )
        for key, test in enumerate(tests):
            chi.setdefault(key, []).append((test.value, test.degrees_of_freedom))
    for values in z.values():
        assert_calibrated(values)
    for pairs in chi.values():
        value, freedom = np.array(pairs).T
        assert value.sum() == pytest.approx(freedom.sum(), abs=4.0 * math.sqrt(2.0 * freedom.sum()))


@pytest.mark.parametrize("bins", [15, None])  # full bins, and many with few trajectories
def test_line_through_bins_is_calibrated(bins):
    z = {"slope": [], "intercept": []}
    for k in range(200):
        line = fl.detailed_theorem(*normal_pair([6, k], (12_000, 8000)), bins=bins).line
        z["slope"].append(line.slope.deviation(1.0))
        z["intercept"].append(line.intercept.deviation(0.0))
    for values in z.values():
        assert_calibrated(values)


def test_weak_driving_keeps_the_errors_right():
    weak = 0.01 * COVARIANCE
    pairs = [normal_pair([7, k], (10_000, 10_000), weak) for k in range(200)]
    joints = [fl.joint_theorem(*pair) for pair in pairs]
    assert_calibrated([joint.work.deviation(1.0) for joint in joints])
    assert_calibrated([joint.intercept.deviation(0.0) for joint in joints])
    assert np.mean([joint.chi_squared.value for joint in joints]) == pytest.approx(
        3.0, abs=4.0 * math.sqrt(6.0 / 200)
    )
    tests = [fl.conditional_theorem_work(*pair, bins=3).chi_squared for pair in pairs]
    assert np.mean([test.value for test in tests]) == pytest.approx(
        3.0, abs=4.0 * math.sqrt(6.0 / 200)
    )


# bins


def test_wide_bins_bias_nothing():
    covariance = np.array([[1.5, 0.4], [0.4, 1.0]])
    forward, backward = normal_pair(8, (400_000, 400_000), covariance)
    edges = np.array([-4.0, -1.5, 0.0, 2.0, 5.0])
    detailed = fl.detailed_theorem(forward, backward, bins=edges)
    assert detailed.balance.chi_squared.z < 4.0
    assert abs(detailed.line.slope.deviation(1.0)) < 4.0
    assert detailed.width_bias > 0.3
    bins = detailed.balance
    plain = bins.log_ratio - bins.centres
    assert (
        np.max(np.abs(plain / bins.ratio_error)) > 20.0
    )  # middles of bins would accuse the theorem


def test_balance_estimates_both_sides_of_the_conditional_theorem(chain):
    forward, backward = chain.pair(9, 100_000)
    probability, work, pumped = chain.forward()
    mirrored, mirrored_work, _ = chain.backward()
    result = fl.conditional_theorem_work(forward, backward, bins=np.linspace(-1.51, 1.49, 7))
    bins = result.balance
    edges, weights = bins.edges, np.exp(-(work - chain.change) / T - pumped)
    left = np.histogram(work, edges, weights=probability * weights)[0] / np.diff(edges)
    right = np.histogram(-mirrored_work, edges, weights=mirrored)[0] / np.diff(edges)
    plain = np.histogram(work, edges, weights=probability)[0] / np.diff(edges)
    np.testing.assert_allclose(left, right, rtol=1e-12)
    assert bins.used.all()
    assert np.max(np.abs(bins.log_left - np.log(left)) / bins.left_error) < 4.0
    assert np.max(np.abs(bins.log_right - np.log(right)) / bins.right_error) < 4.0
    relative = 1.0 / np.sqrt(bins.forward_counts)
    assert np.max(np.abs(bins.log_forward - np.log(plain)) / relative) < 4.0
    assert np.max(np.abs(bins.abscissa - bins.log_ratio)) < 0.1


def test_bins_with_few_trajectories_are_left_out(large):
    edges = np.linspace(-12.0, 12.0, 49)
    detailed = fl.detailed_theorem(*large, bins=edges, minimum_count=40)
    bins = detailed.balance
    few = np.minimum(bins.forward_counts, bins.backward_counts) < 40
    assert few.any()
    assert not np.any(bins.used & few)
    for compared in (bins.log_ratio, bins.abscissa, bins.ratio_error, bins.difference, bins.error):
        np.testing.assert_array_equal(np.isnan(compared), ~bins.used)
    assert bins.minimum_count == 40
    used = detailed.entropy_production
    assert np.all((used > edges[:-1][bins.used] - 0.05) & (used < edges[1:][bins.used] + 0.05))
    assert detailed.log_ratio.shape == detailed.error.shape == used.shape == (bins.used.sum(),)
    counts = np.histogram(large[0].entropy_production, edges)[0]
    np.testing.assert_array_equal(bins.forward_counts, counts)
    counts = np.histogram(-large[1].entropy_production, edges)[0]
    np.testing.assert_array_equal(bins.backward_counts, counts)


# no torque, no drive


def test_without_torque_the_joint_theorem_has_one_slope():
    joint = fl.joint_theorem(*quench_pair(10, 20_000))
    assert joint.pumped_entropy is None
    assert joint.covariance.shape == (2, 2)
    assert "S_P: none, constant" in str(joint)


def test_constant_pumped_entropy_is_taken_out_of_the_intercept():
    x = np.random.default_rng(11).normal(0.5, 1.0, (2, 40_000))  # N(1/2, 1): slope 1 in its own
    pumped = np.full(40_000, 0.3)  # p_B is then p_F of beta (W - dF) + 0.3 mirrored
    forward = dataset(T * (x[0] - 0.3) + CHANGE, pumped, CHANGE, 1)
    backward = dataset(T * (x[1] + 0.3) - CHANGE, -pumped, -CHANGE, 2)
    joint = fl.joint_theorem(forward, backward)
    assert joint.pumped_entropy is None
    assert abs(joint.intercept.deviation(0.0)) < 4.0
    assert joint.chi_squared.z < 4.0
    assert fl.conditional_theorem_pumped_entropy(forward, backward).chi_squared.z < 4.0


def test_without_torque_pumped_entropy_falls_into_one_bin():
    forward, backward = quench_pair(12, 20_000)
    result = fl.conditional_theorem_pumped_entropy(forward, backward)
    assert result.chi_squared.degrees_of_freedom == 1
    # literally the integral theorem
    average = fl.integral_theorem(forward).entropy_production
    log_left = result.balance.log_left[0] - 0.5 * result.balance.left_error[0] ** 2
    assert math.exp(log_left) == pytest.approx(average.value, rel=1e-9)


def test_equilibrium_is_exact_and_has_no_slope():
    zero = np.zeros(500)
    forward, backward = dataset(zero, zero, 0.0, 1), dataset(zero, zero, 0.0, 2)
    integral = fl.integral_theorem(forward)
    assert integral.entropy_production.value == 1.0
    assert integral.deviation == 0.0
    assert fl.free_energy_difference(forward, backward).deviation == 0.0
    assert fl.conditional_theorem_work(forward, backward).chi_squared.value < 1e-9
    with pytest.raises(ValueError, match="both are constant"):
        fl.joint_theorem(forward, backward)
    with pytest.raises(ValueError, match="forward, backward: no slope"):
        fl.detailed_theorem(forward, backward)


# Bennett and Crooks against others


def test_bennett_matches_pymbar():
    estimators = pytest.importorskip("pymbar.other_estimators")
    forward, backward = normal_pair(13, (3000, 1800))
    ours = fl.free_energy_difference(forward, backward)
    w = [(e.work / T + e.pumped_entropy).values for e in (forward, backward)]
    theirs = estimators.bar(*w, relative_tolerance=1e-12)
    assert ours.estimate.value == pytest.approx(T * theirs["Delta_f"], rel=1e-7)
    assert ours.estimate.error == pytest.approx(T * theirs["dDelta_f"], rel=0.02)
    assert ours.exact == CHANGE


def test_bennett_bridges_a_large_difference():
    x = np.random.default_rng(14).normal(0.5, 1.0, (2, 5000))
    forward = dataset(T * x[0] + 900.0, 0.0 * x[0], 900.0, 1)
    backward = dataset(T * x[1] - 900.0, 0.0 * x[1], -900.0, 2)
    found = fl.free_energy_difference(forward, backward)
    assert abs(found.deviation) < 4.0
    assert found.estimate.error < 0.02


def test_crooks_slope_of_normal_work_is_known(large):
    # p_F(x) and p_B(-x) are N(+-(C11 + C12)/2, C11): the log ratio is (1 + C12/C11) x
    crooks = fl.crooks_work(*large)
    expected = 1.0 + COVARIANCE[0, 1] / COVARIANCE[0, 0]
    assert abs(crooks.slope.deviation(expected)) < 4.0
    assert abs(crooks.line.slope.deviation(expected)) < 4.0
    assert crooks.line.residual.z < 4.0
    assert crooks.slope_deviation == pytest.approx(crooks.slope.deviation(1.0))
    assert crooks.z == pytest.approx(normal_z(crooks.chi_squared.value, 2))
    assert 0.9 * crooks.slope_deviation < crooks.z < 1.1 * crooks.slope_deviation
    assert crooks.z > 50.0


def test_crooks_errors_hold_where_it_fails():
    from scipy.optimize import brentq

    # two kinds of trajectories, each normal with another covariance: the joint theorem holds, but
    # the log-odds given W are far from a line; equal numbers make the intercept 0 by symmetry
    kinds = [np.array([[0.2, -0.8], [-0.8, 4.0]]), np.array([[4.0, 1.0], [1.0, 1.0]])]
    x = np.linspace(-20.0, 20.0, 20_001)
    law = sum(
        np.exp(-((x - c.sum(axis=1)[0] / 2.0) ** 2) / (2.0 * c[0, 0])) / math.sqrt(c[0, 0])
        for c in kinds
    )
    truth = brentq(lambda slope: np.sum(law * x / (1.0 + np.exp(slope * x))), 0.1, 3.0)
    results = []
    for k in range(300):
        first = np.random.default_rng([14, k]).binomial(2000, 0.5, 2)
        sizes = first, 2000 - first
        pairs = [normal_pair([15, k, i], sizes[i], kinds[i]) for i in range(2)]
        forward, backward = (
            xr.concat(both, "trajectory", data_vars="minimal", combine_attrs="override")
            for both in zip(*pairs, strict=True)
        )
        results.append(fl.crooks_work(forward, backward, bins=4))
    assert_calibrated([result.slope.deviation(truth) for result in results])
    assert_calibrated([result.intercept.deviation(0.0) for result in results])


# wrong physics is found


def wrong(name, forward, backward):
    """Return the pair as a wrong program would."""
    if name == "backward not mirrored":
        backward = spoil(backward, **{str(k): -v.values for k, v in backward.items() if v.ndim})
    if name == "pumped entropy left out":
        zero = 0.0 * forward.work.values, 0.0 * backward.work.values
        forward, backward = (
            spoil(
                e,
                pumped_entropy=z,
                entropy_production=((e.work - e.free_energy_change) / T).values,
            )
            for e, z in zip((forward, backward), zero, strict=True)
        )
    if name == "beta missing":
        forward, backward = (
            spoil(
                e, entropy_production=(e.work - e.free_energy_change + e.pumped_entropy).values
            ).assign_attrs(temperature=1.0)
            for e in (forward, backward)
        )
    if name == "pumped entropy doubled":
        forward, backward = (
            spoil(
                e,
                pumped_entropy=2.0 * e.pumped_entropy.values,
                entropy_production=(e.entropy_production + e.pumped_entropy).values,
            )
            for e in (forward, backward)
        )
    if name == "free energy forgotten":
        forward, backward = (
            e.assign(
                free_energy_change=0.0,
                entropy_production=e.entropy_production + e.free_energy_change / T,
            )
            for e in (forward, backward)
        )
    return forward, backward


@pytest.mark.parametrize(
    "name",
    [
        "backward not mirrored",
        "pumped entropy left out",
        "beta missing",
        "pumped entropy doubled",
        "free energy forgotten",
    ],
)
@pytest.mark.parametrize("source", ["normal", "chain"])
def test_wrong_physics_is_found(name, source, chain):
    right = normal_pair(16, (50_000, 50_000)) if source == "normal" else chain.pair(17, 50_000)
    forward, backward = wrong(name, *right)
    assert fl.joint_theorem(forward, backward).chi_squared.z > 6.0
    detailed = fl.detailed_theorem(forward, backward)
    assert detailed.chi_squared.z > 6.0
    assert detailed.balance.chi_squared.z > 6.0
    assert fl.conditional_theorem_work(forward, backward).chi_squared.z > 6.0
    if name != "backward not mirrored":  # one ensemble is enough to see the others
        assert abs(fl.integral_theorem(forward).deviation) > 6.0
        assert abs(fl.integral_theorem(forward).functionals.deviation(1.0)) > 6.0
    if name == "free energy forgotten":  # Bennett's ratio does not use it
        assert abs(fl.free_energy_difference(forward, backward).deviation) > 6.0


def test_integral_theorem_reads_both_routes(large):
    broken = spoil(large[0], entropy_production=large[0].entropy_production.values + 0.1)
    integral = fl.integral_theorem(broken)
    assert integral.entropy_production.value == pytest.approx(
        math.exp(-0.1) * integral.functionals.value
    )


def test_strong_driving_is_flagged_not_accused():
    forward, _ = normal_pair(18, (2000, 2), 9.0 * COVARIANCE)
    integral = fl.integral_theorem(forward)
    assert integral.dominated
    assert abs(integral.deviation) < 4.0
    assert "dominated by few" in str(integral)


# ensembles that do not belong together


def test_mismatched_ensembles_are_refused(large):
    forward, backward = large
    cases = [
        (backward.assign_attrs(temperature=0.7), r"backward\.temperature=0\.7: expected that of"),
        (backward.assign(free_energy_change=CHANGE), r"backward\.free_energy_change=-0\.7: exp"),
        (backward.assign_attrs(seed=0), r"backward\.seed=0: expected a seed other"),
        (backward.assign_attrs(temperature=0.0), r"backward\.temperature=0\.0: expected a finite"),
        (backward.assign_attrs(temperature="hot"), r"backward\.temperature='hot'"),
        (backward.drop_vars("work"), r"backward=.*variable 'work'"),
        (spoil(backward, work=np.full(150_000, np.nan)), r"backward\.work=.*finite"),
    ]
    functions = (fl.joint_theorem, fl.detailed_theorem, fl.free_energy_difference, fl.crooks_work)
    for case, match in cases:
        for function in functions:
            with pytest.raises((ValueError, TypeError), match=match):
                function(forward, case)
    moments = [e.assign_attrs(moment=m) for e, m in zip(large, (1.0, 1.5), strict=True)]
    with pytest.raises(ValueError, match=r"backward\.moment=1\.5: expected that of forward, 1\.0"):
        fl.joint_theorem(*moments)


def test_bad_arguments_are_named(large):
    forward, backward = large
    with pytest.raises(TypeError, match=r"ensemble=.*xarray\.Dataset"):
        fl.integral_theorem(forward.work.values)
    unlabelled = forward.copy()
    unlabelled.attrs = {}
    with pytest.raises(ValueError, match="temperature"):
        fl.integral_theorem(unlabelled)
    with pytest.raises(ValueError, match="minimum_count=0"):
        fl.detailed_theorem(forward, backward, minimum_count=0)
    with pytest.raises(ValueError, match="bins=0"):
        fl.detailed_theorem(forward, backward, bins=0)
    with pytest.raises(ValueError, match=r"edges=.*increasing"):
        fl.conditional_theorem_work(forward, backward, bins=[0.0, 0.0, 1.0])


def test_ensembles_without_overlap_are_refused():
    pair = normal_pair(19, (500, 500), 200.0 * COVARIANCE)
    for function in (fl.detailed_theorem, fl.joint_theorem, fl.crooks_work):
        with pytest.raises(ValueError, match=r"forward, backward: .*overlap"):
            function(*pair)
    with pytest.raises(ValueError, match="no bin holds 25 trajectories of both"):
        fl.conditional_theorem_work(*pair)
    assert fl.free_energy_difference(*pair).overlap < 0.01


def test_summaries_say_what_was_found(large):
    for function, words in [
        (fl.detailed_theorem, "slope 1.00"),
        (fl.joint_theorem, "slope in β(W-ΔF): 1.00"),
        (fl.conditional_theorem_work, "[I] 4.24 for work"),
        (fl.conditional_theorem_pumped_entropy, "[I] 4.25 for pumped entropy"),
        (fl.crooks_work, "standard errors off: slope 1.4"),
        (fl.free_energy_difference, "exact -0.7"),
    ]:
        result = function(*large)
        assert words in str(result)
        assert str(result) == result.summary()
    assert "<exp(-Σ)> = 1.00" in str(fl.integral_theorem(large[0]))
