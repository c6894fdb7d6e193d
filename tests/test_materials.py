"""Materials in SI against conversions by hand, Gilbert's equation solved as it stands, and mumax3.

Broken on purpose and caught: 1 + α² left out of the time, μ₀ left out of the torque field, a factor
2 in ħ/2e, the sign of the critical current, α of the field-like torque's share, the barrier taken
from the hardest axis, k_B of the temperature scale.
"""

import subprocess
import sys

import numpy as np
import pytest
import xarray
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import legendre
from scipy import constants, linalg
from scipy.spatial.transform import Rotation

import spintherm
from spintherm import Magnet, Polariser, Protocol, schema, theory
from spintherm.demagnetisation import Cylinder, Ellipsoid, Prism
from spintherm.energies import Anisotropy
from spintherm.materials import (
    Nanomagnet,
    Scales,
    SpinTorque,
    deepest_well,
    gilbert_torque,
    landau_lifshitz_constants,
    landau_lifshitz_torque,
)
from spintherm.materials.description import with_prefix

MU_0, HBAR, E, K_B = constants.mu_0, constants.hbar, constants.e, constants.k
GAMMA = constants.value("electron gyromag. ratio")
CLOSE = 1e-8
"""Of CODATA's editions: conversions by hand use SciPy's."""


@pytest.fixture
def pillar():
    """A free layer, nothing along an axis or small: large damping, tilted anisotropy."""
    return Nanomagnet(
        saturation_magnetisation="650 kA/m",
        gilbert_damping=0.7,
        temperature="350 K",
        volume="900 nm^3",
        anisotropy=Anisotropy.uniaxial(1.7e5, (1, 2, -0.5), 0.4e5) + Anisotropy.cubic(0.6e5),
        gyromagnetic_ratio="1.9e11 rad/(s T)",
    )


# --- Gilbert's equation


def gilbert_rate(n, G, alpha, gamma_mu0):
    """Solve ṅ = -γμ₀ n×G + α n×ṅ for ṅ, as a linear system."""
    n_cross = np.cross(n, np.eye(3)).T  # matrix of v -> n×v
    return np.linalg.solve(np.eye(3) - alpha * n_cross, -gamma_mu0 * np.cross(n, G))


@pytest.mark.parametrize("asymmetry", [1.0, 1.8])
def test_the_reduced_magnet_moves_as_gilberts_equation_says(pillar, asymmetry):
    torque = SpinTorque.from_current(
        current_density="-30 MA/cm^2",
        polarisation=0.45,
        thickness="1.3 nm",
        saturation_magnetisation="650 kA/m",
        asymmetry=asymmetry,
        polariser=(0.3, -0.5, 0.9),
        field_like=-0.35,
    )
    magnet, scales = pillar.magnet_with(torque), pillar.scales
    H = np.array([3e4, -5e4, 2e4])
    p = np.array([0.3, -0.5, 0.9]) / np.linalg.norm([0.3, -0.5, 0.9])
    Ms, alpha = 650e3, 0.7
    for n in Rotation.random(12, rng=5).apply([0, 0, 1]):
        # everything in SI and by hand; the anisotropy field by differences
        def density(v):
            u = v / np.linalg.norm(v)
            axis = np.array([1, 2, -0.5]) / np.sqrt(5.25)
            s2 = 1 - (u @ axis) ** 2
            x, y, z = u**2
            return 1.7e5 * s2 + 0.4e5 * s2**2 + 0.6e5 * (x * y + y * z + z * x)

        h = 1e-5
        slope = [(density(n + h * e) - density(n - h * e)) / (2 * h) for e in np.eye(3)]
        H_eff = H - np.array(slope) / (MU_0 * Ms)
        a_J = HBAR * -30e10 * 0.45 / (2 * E * MU_0 * Ms * 1.3e-9)
        L2 = asymmetry**2
        a = a_J * 2 * L2 / ((L2 + 1) + (L2 - 1) * (n @ p))
        G = H_eff + a * np.cross(n, p) - 0.35 * a_J * p
        expected = gilbert_rate(n, G, alpha, 1.9e11 * MU_0)
        rate = magnet.drift(n, scales.reduced_field(H), torque.reduced(scales)) / scales.time
        # differences are good to 1e-9 of the energy's slope
        assert rate == pytest.approx(expected, rel=1e-6, abs=1e-7 * np.linalg.norm(expected))


fields = st.floats(-5.0, 5.0)


@settings(max_examples=60, deadline=None)
@given(fields, fields, st.floats(0.0, 3.0))
def test_torques_of_the_two_forms_are_each_others_inverse(a, b, alpha):
    there = landau_lifshitz_torque(a, b, alpha)
    assert gilbert_torque(*there, alpha) == pytest.approx((a, b), rel=1e-12, abs=1e-12)
    # it is a rotation and a stretch: amplitudes grow by √(1 + α²)
    assert np.hypot(*there) == pytest.approx(np.hypot(a, b) * np.sqrt(1 + alpha**2), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(fields, fields, st.floats(0.0, 3.0), st.integers(0, 10**6))
def test_torques_added_to_the_solved_equation_are_gilberts_after_conversion(a, b, alpha, seed):
    n, p, H = Rotation.random(3, rng=seed).apply([0, 0, 1])
    g0, eta = landau_lifshitz_constants(1.3, alpha)
    cross = np.cross
    added = -g0 * (
        cross(n, H) + alpha * cross(n, cross(n, H)) + a * cross(n, cross(n, p)) + b * cross(n, p)
    )
    damping_like, field_like = gilbert_torque(a, b, alpha)
    G = H + damping_like * cross(n, p) + field_like * p
    assert gilbert_rate(n, G, alpha, 1.3) == pytest.approx(added, abs=1e-11)
    magnet = Magnet(1.0, g0, eta, 0.5)
    assert magnet.drift(n, H + field_like * p, damping_like * p) == pytest.approx(added, abs=1e-11)


def test_constants_scale_with_the_moment():
    g0, eta = landau_lifshitz_constants(2.0, 0.5, moment=4.0)
    assert (g0, eta) == pytest.approx((1.6, 0.2))
    assert eta * 4.0 / g0 == pytest.approx(0.5)  # δ = α
    with pytest.raises(ValueError, match=r"^gilbert_damping=-1.0"):
        landau_lifshitz_constants(1.0, -1.0)


# --- scales and the reduced magnet


def test_scales_by_hand(pillar):
    s, T, V, Ms, alpha = pillar.scales, 350.0, 9e-25, 6.5e5, 0.7
    B = K_B * T / (Ms * V)
    by_hand = {
        "energy": K_B * T,
        "torque": K_B * T,
        "temperature": T,
        "moment": Ms * V,
        "induction": B,
        "field": B / MU_0,
        "spin_torque": B / MU_0 / (Ms * V),
        "time": (1 + alpha**2) / (1.9e11 * B),
        "rate": 1.9e11 * B / (1 + alpha**2),
        "power": K_B * T * 1.9e11 * B / (1 + alpha**2),
    }
    for name, value in by_hand.items():
        assert getattr(s, name) == pytest.approx(value, rel=CLOSE), name
    m = pillar.magnet
    assert (m.moment, m.gyromagnetic_ratio, m.damping, m.temperature) == (1.0, 1.0, 0.7, 1.0)
    n = np.array([0.0, 0.6, 0.8])
    energy = 9e-25 * pillar.anisotropy(n) / (K_B * T)
    assert m.anisotropy(n) == pytest.approx(energy, rel=1e-12)


def test_free_diffusion_has_neels_time(pillar):
    # Brown (1963): τ_N = M_s V (1 + α²)/(2αγk_BT) is the decay time of ⟨m⟩ without energy
    neel = 6.5e5 * 9e-25 * (1 + 0.49) / (2 * 0.7 * 1.9e11 * K_B * 350)
    m = pillar.magnet
    rate = 2.0 * m.damping * m.temperature / pillar.scales.time
    assert 1 / rate == pytest.approx(neel, rel=CLOSE)


def test_reduced_quantities(pillar):
    s = pillar.scales
    nu = MU_0 * 6.5e5 * 9e-25 * 4e4 / (K_B * 350)
    assert float(s.reduced_field("40 kA/m")) == pytest.approx(nu, rel=CLOSE)
    assert float(s.reduced_field(4e4)) == pytest.approx(nu, rel=CLOSE)
    assert float(s.reduced_field(f"{MU_0 * 4e4!r} T")) == pytest.approx(nu, rel=CLOSE)
    assert float(s.reduced_field(f"{40 * 4 * np.pi!r} Oe")) == pytest.approx(nu, rel=CLOSE)
    assert pillar.reduced_field_strength("40 kA/m") == float(s.reduced_field("40 kA/m"))
    assert s.reduced_field((0, "40 kA/m", -4e4)) == pytest.approx([0, nu, -nu], rel=CLOSE)
    assert s.reduced_field(np.array([0.0, 4e4, 0.0])).shape == (3,)
    assert s.reduced_time("5 ns") == pytest.approx(5e-9 / s.time)
    assert s.reduced_temperature("700 K") == pytest.approx(2.0)
    assert s.reduced_temperature("76.85 degC") == pytest.approx(1.0)
    assert s.reduced_energy("1 eV") == pytest.approx(E / (K_B * 350), rel=CLOSE)
    with pytest.raises(ValueError, match=r"^time='5 nm': expected a time such as '5 ns'$"):
        s.reduced_time("5 nm")
    for bad in (("energy", 0.0), ("moment", -1.0), ("time", np.nan)):
        with pytest.raises(ValueError, match=f"^{bad[0]}="):
            Scales(**({"energy": 1.0, "moment": 1.0, "time": 1.0} | dict([bad])))


@settings(max_examples=40, deadline=None)
@given(st.floats(1e4, 2e6), st.floats(1e-3, 1.0), st.floats(1.0, 900.0), st.floats(1e-27, 1e-21))
def test_the_same_magnet_in_text_and_in_other_units(Ms, alpha, T, V):
    plain = Nanomagnet(saturation_magnetisation=Ms, gilbert_damping=alpha, temperature=T, volume=V)
    text = Nanomagnet(
        saturation_magnetisation=f"{Ms / 1e3!r} emu/cm^3",
        gilbert_damping=f"{100 * alpha!r} %",
        temperature=f"{T - 273.15!r} degC",
        volume=f"{V * 1e27!r} nm^3",
        gyromagnetic_ratio=f"{GAMMA / (2 * np.pi) / 1e9!r} GHz/T",
    )
    for name in ("energy", "moment", "time", "field", "power"):
        assert getattr(text.scales, name) == pytest.approx(getattr(plain.scales, name), rel=CLOSE)
    # energy, field and moment belong together: μ₀ H₀ M₀ = k_B T
    s = plain.scales
    assert MU_0 * s.field * s.moment == pytest.approx(K_B * T, rel=CLOSE)


def test_without_temperature_fields_are_in_units_of_the_magnetisation():
    cold = Nanomagnet(
        saturation_magnetisation=8e5, gilbert_damping=0.1, temperature=0, volume=1e-24
    )
    assert cold.magnet == Magnet(1.0, 1.0, 0.1, 0.0)
    assert cold.scales.field == pytest.approx(8e5)
    assert cold.scales.time == pytest.approx(1.01 / (GAMMA * MU_0 * 8e5), rel=CLOSE)
    assert cold.thermal_stability == 0.0
    frozen = Nanomagnet(
        saturation_magnetisation=8e5,
        gilbert_damping=0.1,
        temperature=0,
        volume=1e-24,
        anisotropy=1e5,
    )
    assert frozen.thermal_stability == np.inf
    # E/E₀ = K/(μ₀M_s²)
    K = 1e5 / (MU_0 * 64e10)
    assert frozen.magnet.anisotropy([1.0, 0.0, 0.0]) == pytest.approx(K, rel=CLOSE)


@pytest.mark.parametrize(
    ("shape", "volume"),
    [
        (Cylinder("40 nm", "1.5 nm"), np.pi * 400e-18 * 1.5e-9),
        (Prism(("60 nm", "30 nm", "2 nm")), 60 * 30 * 2e-27),
        (Ellipsoid(("60 nm", "30 nm", "2 nm")), np.pi / 6 * 60 * 30 * 2e-27),
    ],
)
def test_the_shape_adds_its_magnetostatic_energy(shape, volume):
    body = Nanomagnet(
        saturation_magnetisation=1.1e6,
        gilbert_damping=0.02,
        temperature=300,
        shape=shape,
        anisotropy="0.3 MJ/m^3",
    )
    N = shape.demagnetising_factors
    assert body.volume == pytest.approx(volume)
    for i, n in enumerate(np.eye(3)):
        energy = volume * (0.5 * MU_0 * 1.21e12 * N[i] + (3e5 if i < 2 else 0.0))
        assert body.magnet.anisotropy(n) == pytest.approx(energy / (K_B * 300), rel=CLOSE)


# --- barriers, stiffness, times


@pytest.mark.parametrize(
    ("energy", "barrier", "stiffness"),
    [
        (Anisotropy.uniaxial(2.0), 2.0, (4.0, 4.0)),
        (Anisotropy.uniaxial(2.0, fourth_order=0.5), 2.5, (4.0, 4.0)),
        (Anisotropy.uniaxial(-2.0), 0.0, (0.0, 4.0)),
        (Anisotropy.biaxial(1.0, 3.0), 1.0, (2.0, 8.0)),
        (Anisotropy.cubic(1.5), 1.5 / 4, (3.0, 3.0)),
        (Anisotropy.cubic(-1.5), 1.5 / 12, (2.0, 2.0)),
        # easy cone at sin²θ = 1/2 with the barrier of the axis or the plane, both 1/4
        (Anisotropy.uniaxial(-1.0, fourth_order=1.0), 0.25, (0.0, 2.0)),
        # from z over the xz plane: sin²θ(1.3 - sin²θ) at its largest, 1.3²/4
        (Anisotropy.cubic(1.0) + Anisotropy.uniaxial(0.3), 1.3**2 / 4, (2.6, 2.6)),
    ],
)
def test_wells_and_barriers_known_in_closed_form(energy, barrier, stiffness):
    for turn in (np.eye(3), Rotation.random(rng=3).as_matrix()):
        well = deepest_well(energy.rotated(turn) * 3.0)
        assert well.barrier == pytest.approx(3 * barrier, rel=1e-9, abs=1e-9)
        assert well.stiffness == pytest.approx(3 * np.array(stiffness), rel=1e-7, abs=1e-7)
        assert well.energy == pytest.approx(float(3 * energy.rotated(turn)(well.direction)))
    with pytest.raises(ValueError, match=r"^anisotropy: expected an energy that depends"):
        deepest_well(Anisotropy.uniaxial(0.0))


def test_a_uniaxial_particle_by_hand():
    K, Ms, V, alpha = 4e5, 9e5, 4e-25, 0.03
    body = Nanomagnet(
        saturation_magnetisation=Ms, gilbert_damping=alpha, temperature=300, volume=V, anisotropy=K
    )
    assert body.thermal_stability == pytest.approx(K * V / (K_B * 300))
    H_k = 2 * K / (MU_0 * Ms)
    assert body.stiffness_fields == pytest.approx((H_k, H_k), rel=CLOSE)
    assert body.resonance_frequency == pytest.approx(GAMMA * MU_0 * H_k / (2 * np.pi), rel=CLOSE)
    assert body.well_damping_time == pytest.approx(
        (1 + alpha**2) / (alpha * GAMMA * MU_0 * H_k), rel=CLOSE
    )
    assert body.well_precession_time == pytest.approx(1 / (GAMMA * MU_0 * H_k), rel=CLOSE)


def test_a_thin_film_has_kittels_resonance():
    # Kittel (1948): ω = γμ₀√(H_k (H_k + M_s(N_z - N_x))) for an easy axis x in the plane
    shape = Ellipsoid(("100 nm", "100 nm", "2 nm"))
    body = Nanomagnet(
        saturation_magnetisation=8e5,
        gilbert_damping=0.01,
        temperature=300,
        shape=shape,
        anisotropy=Anisotropy.uniaxial(2e4, (1, 0, 0)),
    )
    H_k, (N, _, N_z) = 2 * 2e4 / (MU_0 * 8e5), shape.demagnetising_factors
    omega = GAMMA * MU_0 * np.sqrt(H_k * (H_k + 8e5 * (N_z - N)))
    assert 2 * np.pi * body.resonance_frequency == pytest.approx(omega, rel=CLOSE)
    assert np.abs(body.well.direction) == pytest.approx([1, 0, 0])
    assert body.thermal_stability == pytest.approx(2e4 * shape.volume / (K_B * 300))


def test_without_anisotropy_there_is_no_well():
    cube, ball = (
        Nanomagnet(saturation_magnetisation=8e5, gilbert_damping=0.0, temperature=300, shape=shape)
        for shape in (Prism(("10 nm", "10 nm", "10 nm")), Ellipsoid.sphere("10 nm"))
    )
    assert cube.magnet == ball.magnet == Magnet(1.0, 1.0, 0.0, 1.0)
    assert ball.well is None
    assert ball.thermal_stability == 0.0
    assert ball.stiffness_fields == (0.0, 0.0)
    assert ball.well_precession_time == ball.well_damping_time == np.inf
    assert "every direction has the same energy" in ball.describe()


# --- spin torque


def test_the_torque_field_by_hand():
    torque = SpinTorque.from_current(
        current_density="2 MA/cm^2",
        polarisation=0.5,
        thickness="2 nm",
        saturation_magnetisation="800 kA/m",
        field_like=0.3,
        polariser=(0, 3, 4),
    )
    # B = ħJ𝒫/(2eM_st), 1 MA/cm² through 1 nm of 1 MA/m at 𝒫 = 1 being 3.2911 mT
    assert torque.damping_like_induction == pytest.approx(3.2911e-3 * 2 * 0.5 / (2 * 0.8), rel=2e-5)
    a = HBAR * 2e10 * 0.5 / (2 * E * MU_0 * 8e5 * 2e-9)
    assert torque.damping_like_field == pytest.approx(a, rel=CLOSE)
    assert torque.field_like_field == pytest.approx(0.3 * a, rel=CLOSE)
    assert torque.polariser.vector == pytest.approx([0, 0.6, 0.8])
    scales = Scales(4e-21, 2e-18, 1e-9)
    P = a / (4e-21 / 2e-18 / MU_0)
    assert torque.reduced(scales) == pytest.approx([0, 0.6 * P, 0.8 * P], rel=CLOSE)
    assert torque.at("-1 MA/cm^2").damping_like_field == pytest.approx(-a / 2, rel=CLOSE)
    current = SpinTorque.from_current(
        current="40 uA",
        area="2000 nm^2",
        polarisation="50 %",
        thickness=2e-9,
        saturation_magnetisation=8e5,
        field_like=0.3,
        polariser=(0, 3, 4),
    )
    assert current.damping_like_field == pytest.approx(a, rel=CLOSE)


def test_a_positive_current_turns_the_moment_towards_the_polariser():
    free = Nanomagnet(
        saturation_magnetisation=8e5, gilbert_damping=0.01, temperature=300, volume=1e-24
    )
    torque = free.spin_torque(
        current_density="1 MA/cm^2", polarisation=0.5, thickness="1 nm", polariser=(1, 2, -1)
    )
    n = np.array([0.0, 0.6, 0.8])
    for sign in (1.0, -1.0):
        P = torque.at(sign * 1e10).reduced(free.scales)
        rate = free.magnet_with(torque).drift(n, np.zeros(3), P)
        assert np.sign(rate @ torque.polariser.vector) == sign
    # and pumps entropy at 2γ₀m·P: in SI 2γμ₀/(1+α²) a_J n·p k_B/s
    p = torque.polariser.vector
    pumped = float(free.magnet.pumped_entropy_rate(n, torque.reduced(free.scales)))
    by_hand = 2 * GAMMA * MU_0 / (1 + 1e-4) * torque.damping_like_field * (n @ p)
    assert pumped * free.scales.rate == pytest.approx(by_hand, rel=CLOSE)


@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize(("alpha", "asymmetry", "field_like"), [(0.02, 1, 0), (0.8, 2.1, -0.4)])
def test_the_critical_current_is_where_gilberts_equation_becomes_unstable(
    parallel, alpha, asymmetry, field_like
):
    body = Nanomagnet(
        saturation_magnetisation=7e5,
        gilbert_damping=alpha,
        temperature=300,
        shape=Prism(("50 nm", "40 nm", "1.2 nm")),
        anisotropy=Anisotropy.biaxial(5e5, 0.7e5, (0, 0, 1), (1, 0, 0)),
    )
    torque = body.spin_torque(
        current_density=0.0, polarisation=0.6, asymmetry=asymmetry, field_like=field_like
    )
    critical = body.critical_current_density(torque, parallel=parallel)
    assert np.sign(critical) == (-1 if parallel else 1)
    pole = np.array([0, 0, 1.0 if parallel else -1.0])
    N = body.shape.demagnetising_factors

    def rate(n, J):
        a = HBAR * J * 0.6 / (2 * E * MU_0 * 7e5 * 1.2e-9)
        L2 = asymmetry**2
        g = 2 * L2 / ((L2 + 1) + (L2 - 1) * n[2])
        e, h = np.array([0, 0, 1.0]), np.array([1.0, 0, 0])
        H = -(-2 * 5e5 * n[2] * e + 2 * 0.7e5 * n[0] * h) / (MU_0 * 7e5) - 7e5 * N * n
        G = H + a * g * np.cross(n, e) + field_like * a * e
        return gilbert_rate(n, G, alpha, GAMMA * MU_0)

    def growth(J):
        step, columns = 1e-5, []
        for tangent in np.eye(3)[:2]:
            ahead, behind = (np.cos(step) * pole + s * np.sin(step) * tangent for s in (1, -1))
            columns.append((rate(ahead, J) - rate(behind, J))[:2] / (2 * step))
        return np.linalg.eigvals(np.array(columns).T).real.max()

    # growth per second on both sides and at the threshold itself
    assert growth(0.999 * critical) < 0 < growth(1.001 * critical)
    assert abs(growth(critical)) < 1e-5 * abs(growth(0.0))


def test_critical_currents_elsewhere():
    flat = Nanomagnet(
        saturation_magnetisation=8e5,
        gilbert_damping=0.01,
        temperature=300,
        shape=Cylinder("60 nm", "3 nm"),
        anisotropy=Anisotropy.uniaxial(1e4, (1, 0, 0)),
    )
    along = flat.spin_torque(current_density=1e10, polarisation=0.4, polariser=(1, 0, 0))
    # Sun (2000): J_c = (2e/ħ)(α/𝒫) μ₀M_s t (H_k + M_eff/2), here M_eff = M_s (N_z - N_x)
    N = flat.shape.demagnetising_factors
    H_k = 2e4 / (MU_0 * 8e5)
    sun = 2 * E / HBAR * 0.01 / 0.4 * MU_0 * 8e5 * 3e-9 * (H_k + 8e5 * (N[2] - N[0]) / 2)
    assert flat.critical_current_density(along, parallel=False) == pytest.approx(sun, rel=CLOSE)
    across = flat.spin_torque(current_density=1e10, polarisation=0.4, polariser=(0, 0, 1))
    assert np.isnan(flat.critical_current_density(across, parallel=True))
    held = flat.spin_torque(
        current_density=1e10, polarisation=0.4, polariser=(1, 0, 0), field_like=-200.0
    )
    with pytest.raises(ValueError, match=r"^field_like=-200.0"):
        flat.critical_current_density(held, parallel=True)


def test_several_torques_share_the_first_ones_current(pillar):
    first = pillar.spin_torque(current_density=1e10, polarisation=0.6, thickness="1 nm")
    other = pillar.spin_torque(
        current_density=1e10, polarisation=0.3, thickness="1 nm", polariser=(1, 0, 0)
    )
    magnet = pillar.magnet_with(first, other)
    assert [p.strength for p in magnet.polarisers] == pytest.approx([1.0, 0.5])
    with pytest.raises(TypeError, match=r"^torque=1.0: expected a SpinTorque"):
        pillar.magnet_with(1.0)


# --- mumax3's test of thermal fluctuations


def test_the_magnet_of_mumax3s_thermal_test():
    """mumax3, test/rk4temperature.mx3: ⟨m_z⟩ = 0.8366 ± 1e-3 after 5 ns from m = z.

    65 536 cells of (10 nm)³ that do not interact, M_s = 1e6 A/m, K_u1 = 1e4/4 J/m³, α = 0.1,
    T = 100 K, and mumax3's γ = 1.7595e11 rad/(s T).
    """
    cell = Nanomagnet(
        saturation_magnetisation="1 MA/m",
        gilbert_damping=0.1,
        temperature="100 K",
        volume="1000 nm^3",
        anisotropy="2500 J/m^3",
        gyromagnetic_ratio="1.7595e11 rad/(s T)",
    )
    sigma = 1e4 / 4 * 1e-24 / (K_B * 100)
    assert cell.thermal_stability == pytest.approx(sigma)
    assert cell.thermal_stability == pytest.approx(1.810743, abs=1e-6)
    magnet, scales = cell.magnet, cell.scales
    equator = np.array([1.0, 0.0, 0.0])
    well = float(magnet.anisotropy(equator) - magnet.anisotropy([0.0, 0.0, 1.0]))
    assert well == pytest.approx(sigma)
    # the anisotropy field as a reduced field: ν = βμ₀M_sV · 2K/(μ₀M_s) = 2σ
    assert cell.reduced_field_strength(cell.stiffness_fields[0]) == pytest.approx(2 * sigma)
    # equilibrium: ⟨m_z²⟩ by quadrature over c
    c, w = legendre.leggauss(40)
    weight = w * np.exp(sigma * c**2)
    z_squared = np.sum(weight * c**2) / weight.sum()
    direction, density_weight = _sphere()
    p = density_weight * magnet.equilibrium_density(direction, (0, 0, 0))
    assert np.sum(p * direction[:, 2] ** 2) == pytest.approx(z_squared, rel=1e-10)
    # the transient: d⟨f⟩/dt of f = c, in Legendre polynomials, from the reduced magnet only
    mean = _mean_along_axis(well, magnet.damping * magnet.temperature, scales.reduced_time("5 ns"))
    assert mean == pytest.approx(0.83701, abs=1e-5)
    assert mean == pytest.approx(0.8366, abs=1e-3)


def _sphere(order=40):
    z, w = legendre.leggauss(order)
    phi = 2 * np.pi * np.arange(2 * order) / (2 * order)
    z, phi = np.meshgrid(z, phi, indexing="ij")
    s = np.sqrt(1 - z**2)
    n = np.stack((s * np.cos(phi), s * np.sin(phi), z), axis=-1).reshape(-1, 3)
    return n, np.repeat(w, 2 * order) * np.pi / order


def _mean_along_axis(sigma, diffusion, time, size=40):
    """⟨c⟩ at a time from c = 1: 𝓛†f = ηT {[(1-c²)f']' + 2σc(1-c²)f'} in Legendre polynomials."""
    generator = np.zeros((size, size))
    for degree in range(size):
        f = np.zeros(degree + 1)
        f[degree] = 1.0
        slope = legendre.legmul([2 / 3, 0.0, -2 / 3], legendre.legder(f))
        drift = 2 * sigma * legendre.legmul([0.0, 1.0], slope)
        for part in (legendre.legder(slope), drift):
            rows = min(size, part.size)
            generator[:rows, degree] += diffusion * part[:rows]
    start = np.zeros(size)
    start[1] = 1.0
    return float((linalg.expm(generator * time) @ start).sum())  # P_l(1) = 1


# --- results in SI


SCALES = Scales(energy=5e-21, moment=3e-18, time=2e-10)
PROTOCOL = Protocol(0.7, (0.5, -0.3, 0.9), (0.2, 0.4, -0.6))
SMALL = Magnet(1.3, 1.7, 0.4, 0.8)


def test_every_unit_of_the_registry_of_outputs_is_known():
    known = SCALES.worth("energy")
    assert known == (5e-21, "J")
    from spintherm.materials import scales

    names = {variable.unit for variable in schema.VARIABLES.values()}
    assert names <= set(scales._UNITS) | set(scales._MIXED)
    with pytest.raises(ValueError, match=r"^unit='furlong': expected one of 1, k_B"):
        SCALES.worth("furlong")


def test_worths_by_hand():
    E0, M0, t0 = 5e-21, 3e-18, 2e-10
    expected = {
        "energy/time": (E0 / t0, "W"),
        "energy^2/time": (E0**2 / t0, "J^2/s"),
        "energy per moment": (E0 / M0 / MU_0, "A/m"),
        "energy per moment squared": (E0 / M0**2 / MU_0, "A/m per A m^2"),
        "rate per field": (M0 * MU_0 / (E0 * t0), "m/(A s)"),
        "rate per energy": (1 / (E0 * t0), "1/(J s)"),
        "1/energy": (1 / E0, "1/J"),
        "time": (t0, "s"),
        "k_B": (1.0, "k_B"),
        "k_B per time": (1 / t0, "k_B/s"),
    }
    for unit, (factor, name) in expected.items():
        worth = SCALES.worth(unit)
        assert worth == (pytest.approx(factor, rel=CLOSE), name)


def test_the_steady_state_in_si():
    reduced = spintherm.steady_states(SMALL, [(0.5, -0.3, 0.9)], [(0.2, 0.4, -0.6)], workers=1)
    si = SCALES.to_si(reduced)
    assert si.heat_rate.attrs["units"] == "W"
    assert si.mean_moment.attrs["units"] == "A m^2"
    assert si.pumped_entropy_rate.attrs["units"] == "k_B/s"
    assert si.pumped_entropy_noise.attrs["units"] == "k_B^2/s"
    # k_B Ṡ_B = -Q̇/T in SI, T being reduced temperature times E₀/k_B: an identity across the units
    kelvin = 0.8 * 5e-21 / K_B
    entropy_rate = K_B * si.bath_entropy_rate
    assert entropy_rate.values == pytest.approx(-si.heat_rate.values / kelvin, rel=1e-9)
    total = si.bath_entropy_rate + si.pumped_entropy_rate
    assert si.entropy_production_rate.values == pytest.approx(total.values, rel=1e-9)
    # the covariance's diagonal is the noise of each
    diagonal = np.diagonal(si.covariance.values[0])
    noises = [si.work_noise[0], si.heat_noise[0], si.pumped_entropy_noise[0]]
    assert diagonal == pytest.approx(np.array(noises, dtype=float), rel=1e-9)
    assert si.field.values[0] == pytest.approx(
        np.array([0.5, -0.3, 0.9]) * 5e-21 / 3e-18 / MU_0, rel=CLOSE
    )
    assert si.phase.values.tolist() == reduced.phase.values.tolist()
    assert si.l_max.dtype == reduced.l_max.dtype
    # the dataset that came in is as it was
    assert reduced.heat_rate.attrs["units"] == "energy/time"
    assert si.attrs["energy_scale"] == 5e-21


def test_collinear_rates_in_si_are_the_closed_form_with_si_numbers():
    body = Nanomagnet(
        saturation_magnetisation=8e5, gilbert_damping=0.3, temperature=300, volume=2e-25
    )
    torque = body.spin_torque(current_density="20 MA/cm^2", polarisation=0.5, thickness="1 nm")
    field = body.scales.reduced_field((0, 0, "60 mT"))
    state = spintherm.steady_state(body.magnet, field, torque.reduced(body.scales))
    # [II] 17-18 with numbers in SI: ν, α_P = a_J/H, δ = α and ηT -> αγk_BT/((1+α²)M_sV)
    H, a = 0.06 / MU_0, HBAR * 20e10 * 0.5 / (2 * E * MU_0 * 8e5 * 1e-9)
    nu = 0.06 * 8e5 * 2e-25 / (K_B * 300)
    diffusion = 0.3 * GAMMA * K_B * 300 / (1.09 * 8e5 * 2e-25)
    pumped = theory.reduced_pumped_entropy_rate(a / H, nu, 0.3, diffusion)
    bath = theory.reduced_bath_entropy_rate(a / H, nu, 0.3, diffusion)
    si = body.scales.to_si(state.to_dataset())
    assert float(si.pumped_entropy_rate) == pytest.approx(float(pumped), rel=1e-7)
    power = -float(bath) * K_B * 300
    assert float(si.heat_rate) == pytest.approx(power, rel=1e-7)


def test_trajectories_and_their_statistics_in_si():
    run = spintherm.simulate(
        SMALL, PROTOCOL, trajectories=50, steps=16, seed=1, save_at=[0.35, 0.7], progress=False
    )
    si = SCALES.to_si(run)
    for name, factor in (("work", 5e-21), ("heat", 5e-21), ("pumped_entropy", 1.0)):
        assert si[name].values == pytest.approx(factor * run[name].values, rel=1e-14)
    assert si.time.values == pytest.approx([0.7e-10, 1.4e-10])
    assert si.time.attrs["units"] == "s"
    assert si.moment.values == pytest.approx(3e-18 * run.moment.values)
    assert si.running_work.attrs["units"] == "J"
    bias = dict(zip(run.estimate.values, si.step_bias.values / run.step_bias.values, strict=True))
    assert bias["work"] == pytest.approx(5e-21)
    assert bias["entropy_production"] == pytest.approx(1.0)
    assert si.attrs["seed"] == run.attrs["seed"]
    with pytest.raises(ValueError, match=r"^dataset: expected results in reduced units"):
        SCALES.to_si(si)

    stream = spintherm.simulate_statistics(
        SMALL, PROTOCOL, trajectories=500, steps=16, seed=1, progress=False
    )
    si = SCALES.to_si(stream)
    # a variance is the covariance with itself, and the second central moment, in SI as before
    assert np.diagonal(si.covariance.values) == pytest.approx(si.variance.values, rel=1e-9)
    for data in (si, stream):  # the second central moment is the variance but for n/(n - 1)
        second = data.central_moment.sel(order=2).values / data.variance.values
        assert second == pytest.approx(1.0, abs=3e-3)
    fourth = si.central_moment.sel(order=4, functional="heat").values
    plain = stream.central_moment.sel(order=4, functional="heat").values
    assert float(fourth) == pytest.approx(5e-21**4 * float(plain))
    work = si.sel(functional="work")
    assert float(work["mean"]) == pytest.approx(5e-21 * float(stream["mean"][0]))
    joint = si.joint_central_moment.sel(work_power=1, pumped_entropy_power=1)
    plain = stream.joint_central_moment.sel(work_power=1, pumped_entropy_power=1)
    assert float(joint) == pytest.approx(5e-21 * float(plain))


def test_densities_in_si_stay_normalised():
    for of in ("work", "entropy_production"):
        density = spintherm.distribution(
            SMALL, PROTOCOL, of=of, points=np.linspace(-2, 4, 25), tolerance=1e-4, progress=False
        )
        si = SCALES.to_si(density)
        total = np.trapezoid(si.density.values, si[of].values)
        assert total == pytest.approx(np.trapezoid(density.density.values, density[of].values))
        assert si.density.attrs["units"] == ("1/J" if of == "work" else "1")


def test_the_evolution_and_its_moments_in_si():
    run = spintherm.evolve(SMALL, PROTOCOL, save_at=[0.0, 0.3, 0.7], progress=False)
    si = SCALES.to_si(run)
    assert si.time.values == pytest.approx(2e-10 * np.array([0.0, 0.3, 0.7]))
    # the first law in SI
    change = si.energy - si.energy[0]
    assert change.values == pytest.approx((si.work + si.heat).values, abs=1e-9 * 5e-21)
    table = spintherm.moments(SMALL, PROTOCOL)
    in_joules = SCALES.to_si(table).raw_moment
    assert float(in_joules[2, 1]) == pytest.approx((5e-21) ** 2 * float(table.raw_moment[2, 1]))


def test_what_cannot_be_converted_is_refused():
    with pytest.raises(TypeError, match=r"^dataset=.*: expected an xarray.Dataset$"):
        SCALES.to_si(xarray.DataArray([1.0]))
    odd = xarray.Dataset({"x": ("n", [1.0], {"units": "furlong"})})
    with pytest.raises(ValueError, match=r"^units of x='furlong': expected one of 1, k_B"):
        SCALES.to_si(odd)
    bare = xarray.Dataset({"x": ("n", [1.0])})
    assert SCALES.to_si(bare).x.values.tolist() == [1.0]


# --- description


def test_the_description_says_what_was_computed_by_hand():
    body = Nanomagnet(
        saturation_magnetisation="800 kA/m",
        gilbert_damping=0.01,
        temperature="300 K",
        volume="2000 nm^3",
        anisotropy="0.1 MJ/m^3",
    )
    torque = body.spin_torque(
        current_density="1 MA/cm^2", polarisation=0.5, thickness="1.5 nm", asymmetry=1.5
    )
    text = body.describe(field="50 mT", spin_torque=torque)
    kT, moment = K_B * 300, 8e5 * 2e-24
    H_k = 2e5 / (MU_0 * 8e5)
    a = HBAR * 1e10 * 0.5 / (2 * E * MU_0 * 8e5 * 1.5e-9)
    g_antiparallel = 1.5**2
    lines = {
        "thermal stability": f"{1e5 * 2e-24 / kT:.5g}",
        "anisotropy field": with_prefix(H_k, "A/m"),
        "Gilbert damping α = δ": "0.01",
        "ν = βmH": f"{0.05 * moment / kT:.6g}",
        "P in reduced units": f"{a * MU_0 * moment / kT:.6g}",
        "critical current, antiparallel": with_prefix(
            0.01 * H_k / g_antiparallel / a * 1e6, "A/cm^2"
        ),
        "critical current, parallel": with_prefix(-0.01 * H_k / a * 1e6, "A/cm^2"),
        "precession time 1/(γ₀H)": with_prefix(1.0001 / (GAMMA * 0.05), "s"),
        "damping time 1/(η|m|H)": with_prefix(100.01 / (GAMMA * 0.05), "s"),
        "power": with_prefix(kT * GAMMA * kT / moment / 1.0001, "W"),
        "entropy rate": f"{GAMMA * kT / moment / 1.0001:.5g} k_B/s",
    }
    for name, value in lines.items():
        line = next(line for line in text.splitlines() if line.strip().startswith(name))
        assert value in line, (name, value, line)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (39788.7, "39.789 kA"),
        (1e3, "1 kA"),
        (999.0, "999 A"),
        (-2e-12, "-2 pA"),
        (0.0, "0 A"),
        (np.inf, "inf A"),
        (1e40, "1e+40 A"),
    ],
)
def test_metric_prefixes(value, text):
    assert with_prefix(value, "A") == text


# --- what is impossible


GOOD = {
    "saturation_magnetisation": "800 kA/m",
    "gilbert_damping": 0.02,
    "temperature": "300 K",
    "volume": "1000 nm^3",
}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"temperature": "5 nm"},
            ValueError,
            "^temperature='5 nm': expected a temperature >= 0 such",
        ),
        ({"temperature": "-1 K"}, ValueError, "^temperature='-1 K': expected a temperature >= 0"),
        ({"saturation_magnetisation": 0.0}, ValueError, "^saturation_magnetisation=0.0: .* > 0"),
        ({"saturation_magnetisation": "-1 kA/m"}, ValueError, "^saturation_magnetisation='-1"),
        ({"saturation_magnetisation": True}, TypeError, "^saturation_magnetisation=True"),
        ({"gilbert_damping": -0.1}, ValueError, "^gilbert_damping=-0.1: expected a number >= 0"),
        ({"gilbert_damping": "0.1 K"}, ValueError, "^gilbert_damping='0.1 K'"),
        ({"volume": "-5 nm^3"}, ValueError, "^volume='-5 nm.3': expected a volume > 0 such as"),
        ({"volume": "5 nm"}, ValueError, "^volume='5 nm': expected a volume > 0 such as"),
        ({"volume": None}, ValueError, "^volume=None, shape=None: expected one of them"),
        ({"shape": Cylinder(1e-9, 1e-9)}, ValueError, "^volume and shape: expected one of them"),
        ({"volume": None, "shape": "disk"}, TypeError, "^shape='disk': expected an Ellipsoid"),
        ({"anisotropy": "1 MJ"}, ValueError, "^anisotropy='1 MJ': expected an energy density"),
        ({"anisotropy": [1.0]}, TypeError, "^anisotropy=.*: expected an Anisotropy in J/m.3, or"),
        ({"gyromagnetic_ratio": 0}, ValueError, "^gyromagnetic_ratio=0: expected a gyromagnetic"),
        ({"gyromagnetic_ratio": "28 GHz"}, ValueError, "^gyromagnetic_ratio='28 GHz'"),
        ({"temperature": "27 C"}, ValueError, "^temperature='27 C': .* '300 K' or '27 degC'"),
        ({"volume": 1000.0}, ValueError, "^volume=1000.0: .*; a number alone is in m.3$"),
        ({"saturation_magnetisation": 1.2}, ValueError, "^saturation_magnetisation=1.2: .* in A/m"),
        ({"gyromagnetic_ratio": 2.21e5}, ValueError, r"^gyromagnetic_ratio=221000.0: .* rad/s/T$"),
        (
            {"volume": None, "shape": Prism((40.0, 40.0, 1.0))},
            ValueError,
            "^shape.extent=40.0: expected a length from 1e-12 to 0.001 m such as '4 nm'",
        ),
    ],
)
def test_impossible_materials_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        Nanomagnet(**(GOOD | change))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"polarisation": 1.2}, ValueError, "^polarisation=1.2: expected .* at most 1"),
        ({"polarisation": 0}, ValueError, "^polarisation=0: expected a number > 0"),
        ({"thickness": 0.0}, ValueError, "^thickness=0.0: expected a length > 0"),
        ({"thickness": "100 nm"}, ValueError, "^thickness=1.*: expected at most the extent of"),
        ({"thickness": "2 A"}, ValueError, "^thickness='2 A': expected a length"),
        ({"asymmetry": 0.5}, ValueError, "^asymmetry=0.5: expected Slonczewski's Λ >= 1"),
        ({"asymmetry": 0}, ValueError, "^asymmetry=0: expected Slonczewski's Λ >= 1"),
        ({"polariser": (0, 0, 0)}, ValueError, "^polariser=.*: expected a vector other than 0"),
        ({"polariser": "z"}, TypeError, r"^polariser='z': expected three .* shape \(3,\)$"),
        ({"thickness": 1.2}, ValueError, "^thickness=1.2: expected a length from .* alone is in m"),
        (
            {"current": 1e-4, "area": 3000.0, "current_density": None},
            ValueError,
            "^area=3000.0: expected an area from .* alone is in m.2",
        ),
        ({"current_density": "1 MA"}, ValueError, "^current_density='1 MA': expected a current d"),
        ({"current_density": None}, ValueError, "^current_density=None, current=None: expected"),
        ({"current": "1 uA"}, ValueError, "^current_density=.*, current='1 uA': expected one"),
    ],
)
def test_impossible_currents_are_refused(change, error, message):
    body = Nanomagnet(**(GOOD | {"volume": None, "shape": Cylinder("50 nm", "2 nm")}))
    given = {"current_density": "1 MA/cm^2", "polarisation": 0.5}
    with pytest.raises(error, match=message):
        body.spin_torque(**(given | change))
    bare = Nanomagnet(**GOOD)
    with pytest.raises(ValueError, match=r"^area=None: expected an area if a current is given"):
        bare.spin_torque(current="1 uA", polarisation=0.5, thickness="1 nm")
    with pytest.raises((TypeError, ValueError), match=r"^thickness=None: expected a length"):
        bare.spin_torque(current_density=1e10, polarisation=0.5)


LAYER = {"current_density": 1e10, "polarisation": 0.4, "thickness": 1e-9}


def test_a_torque_on_another_material_is_refused():
    """P is that of the layer that takes the torque up: with its own M_s it would be off by 1.5."""
    body = Nanomagnet(**GOOD)
    other = SpinTorque.from_current(**LAYER, saturation_magnetisation="1200 kA/m")
    for ask in (
        lambda: body.magnet_with(other),
        lambda: body.critical_current_density(other, parallel=True),
        lambda: body.describe(spin_torque=other),
    ):
        with pytest.raises(ValueError, match=r"^saturation_magnetisation=1200000.0: expected that"):
            ask()


def test_what_is_no_torque_and_no_scale_is_refused():
    body = Nanomagnet(**GOOD)
    with pytest.raises(TypeError, match=r"^spin_torque=10.0: expected a SpinTorque"):
        body.describe(spin_torque=10.0)
    torque = body.spin_torque(**LAYER)
    for wrong in (body, body.magnet):
        with pytest.raises(TypeError, match=r"^scales=.*: expected Scales, which a Nanomagnet has"):
            torque.reduced(wrong)
    with pytest.raises(TypeError, match=r"^field=.*: expected a magnetic field such as"):
        body.reduced_field_strength(["0 mT", "0 mT", "50 mT"])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"thickness": -1e-9}, ValueError),
        ({"current_density": "1 MA/cm^2"}, TypeError),
        ({"polarisation": 1.5}, ValueError),
        ({"polariser": (0.0, 0.0, 1.0)}, TypeError),
    ],
)
def test_a_torque_made_by_hand_is_checked(change, error):
    made = LAYER | {"saturation_magnetisation": 8e5, "polariser": Polariser((0.0, 0.0, 1.0))}
    with pytest.raises(error, match=f"^{next(iter(change))}="):
        SpinTorque(**(made | change))


def test_numbers_load_neither_pint_nor_xarray():
    made = "saturation_magnetisation=8e5, gilbert_damping=0.1, temperature=300, volume=1e-24"
    body = f"Nanomagnet({made}, anisotropy=1e5).describe()"
    probe = f"import sys; from spintherm import Nanomagnet; {body}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert not {"pint", "xarray", "scipy", "numba", "matplotlib"} & set(done.stdout.split())


def test_a_magnet_from_a_material_is_that_of_the_nanomagnet():
    properties = {
        "saturation_magnetisation": "800 kA/m",
        "gilbert_damping": 0.02,
        "temperature": "300 K",
        "volume": "2000 nm^3",
        "anisotropy": "60 kJ/m^3",
    }
    assert Magnet.from_material(**properties) == Nanomagnet(**properties).magnet
    with pytest.raises(TypeError, match="colour"):
        Magnet.from_material(colour="blue")
