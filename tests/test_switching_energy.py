"""Heat of hysteresis and cost of writing against other engines, finite volumes and closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.sparse import diags_array

from spintherm import (
    Anisotropy,
    Constant,
    Magnet,
    Nanomagnet,
    Polariser,
    Protocol,
    Pulse,
    Sine,
    TorqueEfficiency,
    evolve,
    simulate,
)
from spintherm.exact import AxialMagnet
from spintherm.fokker_planck import ResolutionError
from spintherm.switching import hysteresis_loop, write_cost, write_error_rate

AXIS = np.array([0.3, -0.5, 0.9]) / np.linalg.norm([0.3, -0.5, 0.9])
PLAIN = Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.4, temperature=0.8)


def bit(sigma, damping=0.1):
    """A free layer with m, γ₀, η, T other than one; its polariser points against the axis."""
    efficiency = TorqueEfficiency.slonczewski(1.5)
    polariser = Polariser(-AXIS, efficiency, strength=0.8, field_like=0.3)
    anisotropy = Anisotropy.uniaxial(sigma * 0.8, AXIS)
    return replace(PLAIN, damping=damping, anisotropy=anisotropy, polarisers=(polariser,))


class FiniteVolumes:
    """The density of c in cells: positive coefficients, no polynomials, H along the axis."""

    def __init__(self, magnet, sigma, cells):
        self.magnet, self.cells = magnet, cells
        self.barrier = sigma * magnet.temperature
        self.faces = np.linspace(-1, 1, cells + 1)
        self.c = 0.5 * (self.faces[1:] + self.faces[:-1])

    def log_density(self, field, torque):
        """ln p at cells and inner faces, written out by hand for `bit`."""
        magnet, both = self.magnet, (self.c, self.faces[1:-1])
        item = magnet.polarisers[0]
        push = magnet.gyromagnetic_ratio * magnet.moment / magnet.damping * torque * item.strength
        fields = field - item.strength * item.field_like * magnet.moment * torque
        out = []
        for c in both:
            # g = 2Λ²/[(Λ²+1) + (Λ²-1)x] at x = -c, the cosine from the polariser; its integral
            square = 1.5**2
            primitive = 2 * square / (square - 1) * np.log((square + 1) - (square - 1) * c)
            energy = -magnet.moment * fields * c - self.barrier * c**2
            out.append((-energy + push * primitive) / magnet.temperature)
        return out

    def matrix(self, field, torque=0.0):
        """Forward generator."""
        p, at = self.log_density(field, torque)
        diffusion = self.magnet.damping * self.magnet.temperature
        flux = diffusion * (1 - self.faces[1:-1] ** 2) / (2 / self.cells) ** 2
        right = np.append(flux * np.exp(at - p[:-1]), 0.0)
        left = np.insert(flux * np.exp(at - p[1:]), 0, 0.0)
        return diags_array([right[:-1], -(left + right), left[1:]], offsets=[-1, 0, 1]).tocsc()

    def equilibrium(self):
        p = self.log_density(0.0, 0.0)[0]
        share = np.exp(p - p.max())
        return share / share.sum()


def test_small_amplitudes_follow_debye():
    """χ'' = (m²/3T) ωτ/(1 + ω²τ²), 1/τ = 2ηT: what is next is (βmH₀)²/15 ~ 2e-7."""
    f, H0 = np.array([0.02, 0.1, 0.5]), 1e-3
    found = hysteresis_loop(PLAIN, H0, f, direction=AXIS)
    tau, omega = 1 / (2 * 0.4 * 0.8), 2 * np.pi * f
    chi = 1.3**2 / (3 * 0.8) * omega * tau / (1 + (omega * tau) ** 2)
    np.testing.assert_allclose(found["work"], np.pi * chi * H0**2, rtol=1e-6)
    np.testing.assert_allclose(found["dissipated_power"], np.pi * chi * H0**2 * f, rtol=1e-6)
    exact = AxialMagnet(PLAIN, (0, 0, 0)).relaxation_rate()
    assert exact == pytest.approx(1 / tau, rel=1e-9)


def test_a_uniform_magnet_against_the_density_engine():
    """Strong field, torque and bias: after 12 relaxation times what is left is e^-12."""
    h, period = AXIS, 2.6
    H0, bias, P = 2.4, -0.5, 0.35
    found = hysteresis_loop(
        PLAIN, H0, 1 / period, bias_field=bias * h, spin_torque=P * h, direction=-h, points=8
    )
    cycles = 8
    protocol = Protocol(
        cycles * period,
        Sine(tuple(-H0 * h), 1 / period) + Constant(tuple(bias * h)),
        Constant(tuple(P * h)),
    )
    times = (cycles - 1 + np.arange(9) / 8) * period
    followed = evolve(PLAIN, protocol, save_at=times, tolerance=1e-9)
    left = 2 * np.exp(-2 * 0.4 * 0.8 * (cycles - 1) * period)
    moments = followed["mean_moment"].values @ -h
    np.testing.assert_allclose(found["mean_moment"], moments[:-1], atol=left)
    for name in ("work", "heat", "pumped_entropy"):
        done = followed["energy"] - followed["work"]
        values = done if name == "heat" else followed[name]
        assert float(found[name]) == pytest.approx(float(values[-1] - values[0]), abs=20 * left)
    assert float(found["work"] + found["heat"]) == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(
        found["field"], -bias + H0 * np.sin(2 * np.pi * np.arange(8) / 8), atol=1e-12
    )


def test_an_anisotropic_magnet_against_finite_volumes():
    """Torque, field-like torque, asymmetry and barrier, over cycles that start in equilibrium."""
    sigma, H0, torque, period, cycles = 3.0, 2.0, -0.6, 3.0, 7
    magnet = bit(sigma, damping=1.5)
    found = hysteresis_loop(
        magnet, H0, 1 / period, direction=AXIS, spin_torque=-torque * AXIS, points=16
    )
    assert abs(float(found["mean_moment"].mean())) > 0.01  # the torque has a say

    def followed(cells):
        volumes = FiniteVolumes(magnet, sigma, cells)
        up, down = volumes.matrix(H0, torque), volumes.matrix(-H0, torque)
        middle = volumes.matrix(0.0, torque)

        def rate(t, p):
            return volumes.matrix(H0 * np.sin(2 * np.pi * t / period), torque) @ p

        def jacobian(t, _):
            s = np.sin(2 * np.pi * t / period)
            return middle + 0.5 * s * (up - down) + 0.5 * s * s * (up + down - 2 * middle)

        times = (cycles - 1 + np.arange(17) / 16) * period
        solution = solve_ivp(
            rate,
            (0, times[-1]),
            volumes.equilibrium(),
            method="BDF",
            jac=jacobian,
            t_eval=times,
            rtol=1e-7,
            atol=1e-11,
        )
        return magnet.moment * (volumes.c @ solution.y)

    coarse, fine = followed(100), followed(200)
    richardson = fine + (fine - coarse) / 3
    # Richardson leaves far less than a fifth of what it takes away; BDF adds 1e-7 a step
    error = 0.2 * np.abs(fine - coarse).max() + 3e-5
    assert error < 2e-3
    np.testing.assert_allclose(found["mean_moment"], richardson[:-1], atol=error)
    # the periodic loop closes: rest from the start is below the error
    assert abs(richardson[-1] - richardson[0]) < error
    assert float(found["work"] + found["heat"]) == pytest.approx(0, abs=1e-8)
    assert float(found["entropy_production"]) > 0


def test_a_high_barrier_relaxes_in_one_mode():
    """At ωτ ~ 1, τ the exact escape time, the heat is Debye's with χ = m²⟨c²⟩/T.

    Motion within the wells adds to and takes from it: parts 1/σ of ⟨c²⟩'s deviation from one.
    """
    sigma = 9.0
    magnet = replace(bit(sigma), polarisers=())
    state = AxialMagnet(magnet, (0, 0, 0))
    rate, H0 = state.relaxation_rate(), 0.02
    omega = rate * np.array([0.5, 1.0, 2.0])
    found = hysteresis_loop(magnet, H0, omega / (2 * np.pi))
    c, weights = state.nodes(-1.0, 1.0)
    square = float((weights * state.density(c)) @ c**2)
    chi = 1.3**2 * square / 0.8 * omega * rate / (rate**2 + omega**2)
    np.testing.assert_allclose(found["work"], np.pi * chi * H0**2, rtol=0.5 / sigma**2)
    # far slower and far faster cycles cost less than the best one
    both = hysteresis_loop(magnet, H0, rate / (2 * np.pi) * np.array([1e-4, 1e4]))
    assert np.all(both["work"].values < 0.01 * found["work"].values.max())


def test_dimensions_and_si():
    body = Nanomagnet(
        saturation_magnetisation="446 kA/m",
        gilbert_damping=0.1,
        temperature="300 K",
        volume="500 nm^3",
        anisotropy="20 kJ/m^3",
    )
    scales = body.scales
    H0 = scales.reduced_field("20 mT")
    f = np.array([2e5, 1e6]) * scales.time
    found = scales.to_si(hysteresis_loop(body.magnet, [float(H0)], f, points=4))
    assert found["work"].dims == ("amplitude", "frequency")
    assert found["mean_moment"].dims == ("amplitude", "frequency", "phase")
    np.testing.assert_allclose(found["frequency"], [2e5, 1e6])
    assert found["dissipated_power"].attrs["units"] == "W"
    np.testing.assert_allclose(
        found["dissipated_power"], found["work"] * found["frequency"], rtol=1e-7
    )
    assert float(found["amplitude"][0]) == pytest.approx(0.02 / (4e-7 * np.pi), rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amplitudes": 0.0}, "amplitudes"),
        ({"frequencies": [-1.0]}, "frequencies"),
        ({"direction": (0, 0, 0)}, "direction"),
        ({"magnet": replace(PLAIN, temperature=0.0)}, "temperature"),
    ],
)
def test_loops_that_are_refused(changes, words):
    given = {"magnet": bit(2.0), "amplitudes": 1.0, "frequencies": 1.0} | changes
    with pytest.raises(ValueError, match=words):
        hysteresis_loop(**given)


def test_what_cannot_be_resolved_says_so():
    with pytest.raises(ResolutionError, match="polynomials"):
        hysteresis_loop(PLAIN, 1e5, 1.0, direction=AXIS)


def test_cost_of_a_pulse_on_a_uniform_magnet_against_the_density_engine():
    a, rest, H, P, tau = AXIS, -0.4, 0.9, 0.7, 1.1
    found = write_cost(
        PLAIN, [0.3, tau], spin_torque=P * a, field=H * a, resting_field=rest * a, tolerance=1e-9
    ).isel(pulse_length=1)
    protocol = Protocol(
        1.2 * tau,
        Constant(tuple(rest * a)) + Pulse(tuple((H - rest) * a), 0.1 * tau, 1.1 * tau),
        Pulse(tuple(P * a), 0.1 * tau, 1.1 * tau),
    )
    after = np.nextafter(1.1 * tau, 2 * tau)
    followed = evolve(PLAIN, protocol, save_at=[0.0, after], tolerance=1e-10)
    total = {name: float(followed[name][1]) for name in ("work", "pumped_entropy")}
    total["energy_change"] = float(followed["energy"][1] - followed["energy"][0])
    total["entropy_change"] = float(followed["entropy"][1] - followed["entropy"][0])
    for name, value in total.items():
        assert float(found[name]) == pytest.approx(value, abs=1e-8), name
    assert float(found["heat"]) == pytest.approx(total["energy_change"] - total["work"], abs=1e-8)


def test_entropy_production_of_a_write_is_that_of_the_irreversible_currents():
    r"""Σ = ∫dt ⟨(v_irr - D ∇ln p)²⟩/D on the sphere, from finite volumes, with no work in it.

    v_irr = -η m×(m×(H_eff + m×P)): along c and about the axis. Its reversible rest, S_P and W do
    not enter, so that their signs and factors are tested.
    """
    sigma, tau, torque = 4.0, 1.5, -1.4
    magnet = bit(sigma, damping=0.25)
    item, eta, m, T = magnet.polarisers[0], 0.25, 1.3, 0.8
    found = write_cost(magnet, [tau], spin_torque=-torque * AXIS, target="parallel")
    g = TorqueEfficiency.slonczewski(1.5)

    def integrated(cells):
        volumes = FiniteVolumes(magnet, sigma, cells)
        matrix, c, h = volumes.matrix(0.0, torque), volumes.c, 2 / cells
        # Gauss nodes in √t, for what the switching on leaves near t = 0
        x, weights = np.polynomial.legendre.leggauss(24)
        times = tau * (0.5 * (x + 1)) ** 2
        solution = solve_ivp(
            lambda _, p: matrix @ p,
            (0, tau),
            volumes.equilibrium(),
            method="Radau",
            jac=matrix,
            t_eval=times,
            rtol=1e-8,
            atol=1e-13,
        )
        field = -item.strength * item.field_like * m * torque + 2 * sigma * T / m * c
        local = torque * item.strength * g(-c)
        rates = []
        for p in solution.y.T:
            slope = np.gradient(np.log(p), h, edge_order=2)
            along = eta * m * field - eta * T * slope
            about = eta * m**2 * local
            rates.append(p @ ((1 - c**2) * (along**2 + about**2)) / (eta * T))
        return float(weights @ (np.array(rates) * (x + 1)) * 0.5 * tau)

    coarse, fine = integrated(400), integrated(800)
    richardson = fine + (fine - coarse) / 3
    error = 0.3 * abs(fine - coarse) + 1e-4 * fine
    assert error < 2e-3 * fine
    assert float(found["entropy_production"][0]) == pytest.approx(richardson, abs=error)


def test_landauers_bound_holds_with_pumped_entropy_and_not_for_heat_alone():
    sigma = 25.0
    magnet = replace(bit(sigma, damping=0.03), polarisers=())
    critical = 2 * sigma * 0.8 * 0.03 / (1.7 * 1.3)
    unit = 1 / (2 * sigma * 0.03 * 0.8)
    lengths = np.array([0.5, 2, 5, 10, 20]) * unit
    torques = np.array([0.5, 1.2, 2.0, 4.0])[:, None] * critical * AXIS
    found = write_cost(magnet, lengths, spin_torque=torques)
    sums = -found["settled_heat"] / 0.8 + found["pumped_entropy"]
    assert np.all(sums >= found["landauer_bound"])
    assert np.all(found["entropy_production"] >= 0)
    assert np.all(np.diff(found["entropy_production"], axis=1) > 0)  # Σ(t) never falls
    # the wells of the bit are alike: the bound is what the bit has lost
    lost = found["initial_bit_entropy"] - found["bit_entropy"]
    np.testing.assert_allclose(found["landauer_bound"], lost, atol=1e-12)
    np.testing.assert_allclose(found["initial_bit_entropy"], np.log(2), rtol=1e-12)
    # a long strong pulse writes without error, and absorbs heat
    last = found.isel(current=-1, pulse_length=-1)
    assert float(last["write_error_rate"]) < 1e-12
    assert float(last["landauer_bound"]) == pytest.approx(np.log(2), rel=1e-9)
    assert float(last["settled_heat"]) > 0
    assert float(last["pumped_entropy"]) > np.log(2)


def test_a_field_alone_obeys_landauer_and_pumps_nothing():
    magnet = replace(bit(6.0, damping=0.2), polarisers=())
    strength = 2.5 * 2 * 6.0 * 0.8 / 1.3
    found = write_cost(magnet, [0.05, 5.0], field=-strength * AXIS, target="antiparallel")
    assert np.all(found["pumped_entropy"] == 0)
    assert np.all(-found["settled_heat"] / 0.8 > found["landauer_bound"])
    # the magnet has followed the field: its work is that of the two jumps, m H 1·2 and more
    state = AxialMagnet(magnet, -strength * AXIS)
    c, weights = state.nodes(-1.0, 1.0)
    mean = float((weights * state.density(c)) @ c)
    # c is counted along the axis, the field against it; the pulse ends in its own equilibrium
    assert float(found["work"][1]) == pytest.approx(-1.3 * strength * mean, rel=1e-6)


def test_errors_of_a_known_bit_are_those_of_write_error_rate():
    sigma = 20.0
    magnet, p = bit(sigma, damping=0.03), -AXIS
    # at the pole that is left g = Λ², so that this is 2.25 times the critical torque
    critical = 2 * sigma * 0.8 * 0.03 / (1.7 * 1.3 * 0.8)
    lengths = np.array([2.0, 5.0, 10.0]) / (2 * sigma * 0.03 * 0.8)
    one = write_cost(
        magnet, lengths, spin_torque=critical * p, target="parallel", initial="antiparallel"
    )
    other = write_error_rate(magnet, lengths, spin_torque=critical * p, initial="antiparallel")
    np.testing.assert_allclose(one["write_error_rate"], other["write_error_rate"], rtol=1e-5)
    assert float(one["write_error_rate"][-1]) < 1e-8
    assert np.all(one["initial_bit_entropy"] == 0)
    # an unknown bit is wrong at first in half of the cases
    half = write_cost(magnet, lengths, spin_torque=critical * p)
    np.testing.assert_allclose(half["write_error_rate"], 0.5 * other["write_error_rate"], rtol=0.02)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pulse_lengths": [0.0, 1.0]}, "pulse_lengths"),
        ({"target": "up"}, "target"),
        ({"initial": "both"}, "initial"),
        ({"spin_torque": (1, 0, 0)}, "parallel to the polariser"),
        ({"spin_torque": np.zeros((1, 1, 3))}, "spin_torque"),
    ],
)
def test_writes_that_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        write_cost(**({"magnet": bit(2.0), "pulse_lengths": [1.0]} | changes))


def test_mean_cost_of_a_write_against_trajectories():
    """Barrier, asymmetry, field-like torque and a field: 5 standard errors, 1 run in 3e5 fails."""
    magnet, tau = bit(4.0, damping=0.25), 1.5
    P, H, rest = 1.4 * AXIS, -0.6 * AXIS, 0.3 * AXIS
    found = write_cost(magnet, [tau], spin_torque=P, field=H, resting_field=rest)
    protocol = Protocol(
        1.2 * tau,
        Constant(tuple(rest)) + Pulse(tuple(H - rest), 0.1 * tau, 1.1 * tau),
        Pulse(tuple(P), 0.1 * tau, 1.1 * tau),
    )
    sampled = simulate(magnet, protocol, trajectories=20_000, seed=3)
    for name in ("work", "pumped_entropy"):
        values = sampled[name].values
        error = values.std() / np.sqrt(values.size)
        bias = abs(float(sampled["step_bias"].sel(estimate=name)))
        mean = float(found[name][0])
        assert abs(mean) > 50 * error, name
        assert abs(values.mean() - mean) < 5 * error + 2 * bias, name
    up = sampled["final_moment"].values @ AXIS > 0
    # the wells are those of the polariser, -AXIS; after the pulse hardly a path changes its well
    assert abs(up.mean() - float(found["write_error_rate"][0])) < 0.03


def test_a_free_layer_against_the_density_engine():
    """Spherical harmonics, with barrier, asymmetry and field-like torque."""
    magnet, tau = bit(4.0, damping=0.25), 1.5
    P, H, rest = 1.4 * AXIS, -0.6 * AXIS, 0.3 * AXIS
    found = write_cost(magnet, [tau], spin_torque=P, field=H, resting_field=rest)
    protocol = Protocol(
        1.2 * tau,
        Constant(tuple(rest)) + Pulse(tuple(H - rest), 0.1 * tau, 1.1 * tau),
        Pulse(tuple(P), 0.1 * tau, 1.1 * tau),
    )
    ends = evolve(magnet, protocol, save_at=[0.0, np.nextafter(1.1 * tau, 2 * tau)])
    for name, key in (("work", "work"), ("pumped_entropy", "pumped_entropy")):
        assert float(found[name][0]) == pytest.approx(float(ends[key][1]), abs=1e-8)
    for name, key in (("energy_change", "energy"), ("entropy_change", "entropy")):
        change = float(ends[key][1] - ends[key][0])
        assert float(found[name][0]) == pytest.approx(change, abs=1e-8)
