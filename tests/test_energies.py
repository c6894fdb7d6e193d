"""Anisotropy energies against their formulae, and equilibrium against other quadratures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import dawsn

from spintherm import equilibrium
from spintherm.energies import HIGHEST_DEGREE, Anisotropy
from spintherm.magnet import Magnet

RNG = np.random.default_rng(5)


def directions(count, seed=0):
    n = np.random.default_rng(seed).normal(size=(count, 3))
    return n / np.linalg.norm(n, axis=1, keepdims=True)


def rotation(seed):
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q


def test_constructors_give_their_formulae():
    n = directions(50)
    u = np.array([1.0, 2.0, -0.5]) / np.linalg.norm([1.0, 2.0, -0.5])
    square = 1 - (n @ u) ** 2
    uniaxial = Anisotropy.uniaxial(1.3, u, fourth_order=-0.4)
    np.testing.assert_allclose(uniaxial(n), 1.3 * square - 0.4 * square**2, atol=1e-14)
    A = np.array([[1.0, 0.3, -0.2], [0.1, 0.5, 0.0], [0.0, 0.7, -2.0]])
    form = np.einsum("ni,ij,nj->n", n, A, n)
    np.testing.assert_allclose(Anisotropy.quadratic_form(A)(n), form, atol=1e-14)
    h = np.cross(u, [0.0, 0.0, 1.0])
    h /= np.linalg.norm(h)
    biaxial = Anisotropy.biaxial(0.7, 2.0, u, h)
    np.testing.assert_allclose(biaxial(n), 0.7 * square + 2.0 * (n @ h) ** 2, atol=1e-14)
    axes = rotation(3)
    a, b, c = (n @ axes.T).T ** 2
    cubic = Anisotropy.cubic(0.8, -1.1, axes)
    expected = 0.8 * (a * b + b * c + c * a) - 1.1 * a * b * c
    np.testing.assert_allclose(cubic(n), expected, atol=1e-14)
    x, y, z = n.T
    mixed = Anisotropy.polynomial({(1, 1, 0): 0.5, (0, 2, 2): -1.0, (0, 0, 0): 2.0})
    np.testing.assert_allclose(mixed(n), 0.5 * x * y - y**2 * z**2 + 2.0, atol=1e-14)
    N = (0.2, 0.3, 0.5)
    shape = Anisotropy.shape(N, 4.0)
    np.testing.assert_allclose(shape(n), 4.0 * (n**2 @ N), atol=1e-14)


def test_canonical_form_is_unique_and_of_lowest_degree():
    quartic = Anisotropy.cubic(1.0)
    assert quartic.degree == 4
    # a quartic that is a quadratic in disguise: n_z² (n_x² + n_y² + n_z²)
    disguised = Anisotropy.polynomial({(2, 0, 2): 1.0, (0, 2, 2): 1.0, (0, 0, 4): 1.0})
    assert disguised == Anisotropy.polynomial({(0, 0, 2): 1.0})
    assert disguised.degree == 2
    # adding and taking away leaves what was there
    there = Anisotropy.uniaxial(0.7) + quartic + quartic * -1.0
    assert there == Anisotropy.uniaxial(0.7)
    assert (quartic + quartic * -1.0).is_constant
    sphere = Anisotropy.uniaxial(1.0) + Anisotropy.shape((1 / 3, 1 / 3, 1 / 3), 5.0)
    assert sphere.degree == 2
    np.testing.assert_allclose(sphere.coefficients, [8 / 3, 0, 0, 8 / 3, 0, 5 / 3], atol=1e-15)
    assert hash(disguised) == hash(Anisotropy.polynomial({(0, 0, 2): 1.0}))


def random_energy(seed, degree=4):
    rng = np.random.default_rng(seed)
    from spintherm.energies import exponents

    return Anisotropy.polynomial({key: rng.normal() for key in exponents(degree)})


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([2, 4, 6, 8]))
def test_gradient_is_the_derivative_along_the_sphere(seed, degree):
    energy = random_energy(seed, degree)
    n = directions(5, seed)
    t = np.cross(n, directions(5, seed + 1))
    eps = 1e-5
    ahead, behind = n + eps * t, n - eps * t
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    behind /= np.linalg.norm(behind, axis=1, keepdims=True)
    numeric = (energy(ahead) - energy(behind)) / (2 * eps)
    gradient = energy.gradient(n)
    np.testing.assert_allclose(np.sum(gradient * t, -1), numeric, atol=2e-7)
    np.testing.assert_allclose(np.sum(gradient * n, -1), 0.0, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([2, 4, 6]))
def test_rotation_turns_the_body(seed, degree):
    energy, R, n = random_energy(seed, degree), rotation(seed), directions(7, seed)
    np.testing.assert_allclose(energy.rotated(R)(n @ R.T), energy(n), atol=1e-12)


def test_axis_of_symmetry_is_found():
    u = np.array([0.3, -0.5, 0.9])
    u /= np.linalg.norm(u)
    for energy in (Anisotropy.uniaxial(2.0, u), Anisotropy.uniaxial(-1.0, u, 0.3)):
        assert abs(abs(energy.axis @ u) - 1.0) < 1e-12
    assert Anisotropy.cubic(1.0).axis is None
    assert Anisotropy.biaxial(1.0, 1e-6).axis is None
    assert Anisotropy.shape((0.2, 0.2, 0.6), 3.0).axis is not None


def test_half_range_bounds_the_energy():
    n = directions(4000, 2)
    for seed in range(5):
        energy = random_energy(seed) + Anisotropy.polynomial({(0, 0, 0): 50.0})
        assert np.ptp(energy(n)) / 2 <= energy.half_range
    assert Anisotropy.uniaxial(3.0).half_range >= 1.5
    assert Anisotropy.polynomial({(0, 0, 0): 9.0}).half_range == 0.0


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({(1, 0, 0): 1.0}, "even sum"),
        ({(1, 1, 1): 1.0}, "even sum"),
        ({(HIGHEST_DEGREE + 2, 0, 0): 1.0}, "at most"),
        ({(-1, 1, 0): 1.0}, "whole numbers"),
        ({(1.5, 0.5, 0): 1.0}, "whole numbers"),
        ({(2, 0): 1.0}, "three whole numbers"),
        ({(2, 0, 0): np.nan}, "finite number"),
    ],
)
def test_bad_terms_are_refused(terms, words):
    with pytest.raises(ValueError, match=words):
        Anisotropy.polynomial(terms)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="trace one"):
        Anisotropy.shape((0.2, 0.2, 0.2), 1.0)
    with pytest.raises(ValueError, match="other than 0"):
        Anisotropy.uniaxial(1.0, (0.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="across easy_axis"):
        Anisotropy.biaxial(1.0, 1.0, (0, 0, 1), (0, 1, 1))
    with pytest.raises(ValueError, match="orthogonal"):
        Anisotropy.cubic(1.0, axes=np.ones((3, 3)))
    with pytest.raises(TypeError, match="anisotropy"):
        Magnet(1.0, 1.0, 1.0, 1.0, anisotropy=3.0)
    with pytest.raises(ValueError, match="without anisotropy"):
        Magnet(1, 1, 1, 1, anisotropy=Anisotropy.uniaxial(1.0)).relaxation_vector(
            [0, 0, 1], [0] * 3
        )


def test_round_trip_through_dictionaries():
    magnet = Magnet(1.3, -0.7, 0.2, 0.6, anisotropy=Anisotropy.cubic(0.3, 0.1, rotation(1)))
    assert Magnet.from_dict(magnet.to_dict()) == magnet
    assert Magnet(1, 1, 1, 1, anisotropy=Anisotropy()).is_uniform
    assert "anisotropy" not in Magnet(1, 1, 1, 1).to_dict()
    with pytest.raises(ValueError, match="coefficient"):
        Anisotropy.from_dict({"terms": [[1, 2]]})


@pytest.mark.parametrize("barrier", [0.5, 5.0, 60.0, 500.0])
def test_free_energy_of_a_uniaxial_particle(barrier):
    """Z = 4π e^-σ ∫₀¹ e^(σ z²) dz = 4π Dawson(√σ)/√σ, in any direction of the axis."""
    T = 0.7
    for axis in ((0, 0, 1), (0.3, -0.5, 0.9)):
        magnet = Magnet(1.4, 0.6, 0.1, T, anisotropy=Anisotropy.uniaxial(barrier * T, axis))
        exact = -T * np.log(4 * np.pi * dawsn(np.sqrt(barrier)) / np.sqrt(barrier))
        assert float(magnet.free_energy((0, 0, 0))) == pytest.approx(exact, rel=1e-11, abs=1e-12)


def test_mean_moment_with_a_tilted_field_is_the_derivative_of_the_free_energy():
    magnet = Magnet(1.4, 0.6, 0.1, 0.45, anisotropy=Anisotropy.cubic(2.0, -3.0, rotation(7)))
    H, eps = np.array([0.3, -0.8, 0.5]), 1e-4
    slopes = [
        (magnet.free_energy(H - eps * e) - magnet.free_energy(H + eps * e)) / (2 * eps)
        for e in np.eye(3)
    ]
    np.testing.assert_allclose(magnet.mean_equilibrium_moment(H), slopes, atol=1e-7)
    z, w = np.polynomial.legendre.leggauss(80)
    phi = 2 * np.pi * np.arange(160) / 160
    z, phi = (a.ravel() for a in np.meshgrid(z, phi, indexing="ij"))
    s = np.sqrt(1 - z * z)
    n = np.stack((s * np.cos(phi), s * np.sin(phi), z), -1)
    total = np.repeat(w, 160) @ magnet.equilibrium_density(n, H) * 2 * np.pi / 160
    assert total == pytest.approx(1.0, abs=1e-12)


def test_lebedev_and_product_rules_agree():
    magnet = Magnet(1.0, 1.0, 1.0, 0.4, anisotropy=Anisotropy.cubic(1.0, 2.0))
    f = magnet.log_density(np.array([0.2, 0.1, -0.7]))
    one = equilibrium._sum(f, None, equilibrium.lebedev(131))
    other = equilibrium._sum(f, None, equilibrium.product_rule(192))
    assert one.log_partition == pytest.approx(other.log_partition, abs=1e-13)
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-13)


@pytest.mark.parametrize(
    ("anisotropy", "field", "T"),
    [
        (Anisotropy.uniaxial(8.0, (0.3, -0.5, 0.9)), (0.0, 0.0, 0.0), 1.0),
        (Anisotropy.cubic(9.0, -20.0, rotation(2)), (0.4, -0.2, 0.6), 0.5),
        (Anisotropy.biaxial(20.0, 60.0), (0.0, 0.5, 1.0), 0.5),
        (random_energy(11, 6), (1.0, 0.0, -2.0), 0.3),
    ],
)
def test_samples_follow_the_density(anisotropy, field, T):
    """Chi-squared over cells whose exact contents come from a quadrature; 1e-4 false alarms."""
    magnet = Magnet(1.3, 1.0, 0.1, T, anisotropy=anisotropy)
    count = 40_000
    moments = magnet.sample_equilibrium(field, count, np.random.default_rng(8))
    n = moments / magnet.moment
    np.testing.assert_allclose(np.linalg.norm(n, axis=1), 1.0, atol=1e-14)
    nodes, weights = equilibrium.product_rule(640)
    share = weights * magnet.equilibrium_density(nodes, field)
    assert share.sum() == pytest.approx(1.0, abs=1e-9)

    def cells(points):
        return (points > 0.0) @ [1, 2, 4]

    expected = np.bincount(cells(nodes), share, 8) * count
    seen = np.bincount(cells(n), minlength=8)
    use = expected > 20
    chi = float(np.sum((seen - expected)[use] ** 2 / expected[use]))
    # the sharp edges of octants cost the rule about its spacing, 1/320, in the worst case
    assert chi < stats.chi2.ppf(1 - 1e-4, use.sum()) + 1.0
    f = magnet.log_density(np.asarray(field, float))
    mean_f = float(share @ f(nodes))
    spread = float(np.sqrt(share @ (f(nodes) - mean_f) ** 2))
    assert abs(float(f(n).mean()) - mean_f) < 4.5 * spread / np.sqrt(count)


def test_first_samples_do_not_depend_on_how_many_are_drawn():
    magnet = Magnet(1.0, 1.0, 1.0, 0.5, anisotropy=Anisotropy.uniaxial(4.0))
    few = magnet.sample_equilibrium((0, 0, 1), 10, np.random.default_rng(1))
    many = magnet.sample_equilibrium((0, 0, 1), 5000, np.random.default_rng(1))
    assert np.array_equal(few, many[:10])


def test_envelopes_bound_the_density():
    for seed, T in ((3, 1.0), (4, 0.05)):
        magnet = Magnet(1.0, 1.0, 1.0, T, anisotropy=random_energy(seed, 6))
        f = magnet.log_density(np.array([0.3, 0.2, -0.5]))
        shape = equilibrium.envelope(f)
        assert shape.acceptance >= 0.4
        u = RNG.random((20_000, 4))
        u[:, 0] = (np.arange(20_000) + 0.5) / 20_000
        n, _ = shape.propose(u)
        cell = np.searchsorted(shape.cumulative, u[:, 0], side="right")
        assert np.all(f(n) <= shape.bounds[cell] + 1e-12)


def test_too_cold_is_refused_in_words():
    magnet = Magnet(1.0, 1.0, 1.0, 1e-7, anisotropy=Anisotropy.uniaxial(1.0))
    with pytest.raises(ValueError, match="energies of at most"):
        magnet.free_energy((0, 0, 0))
    with pytest.raises(ValueError, match="T > 0"):
        Magnet(1, 1, 1, 0.0, anisotropy=Anisotropy.uniaxial(1.0)).free_energy((0, 0, 0))
