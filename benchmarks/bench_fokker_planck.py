"""Cost of the density engine: medians of warm and cold calls, and how they grow with the field.

The magnet, field and torque are those of [II] Fig. 4: |m| = sqrt 3, eta = 0.5, P = 1 at 45 degrees.
"Cold" includes making the operators of a truncation for the first time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.figures import Contestant, Figure, against, rates
from spintherm import Magnet, Protocol
from spintherm.experiments import table_one
from spintherm.fokker_planck import (
    cumulants,
    distribution,
    evolve,
    generating_function,
    harmonics,
    moments,
    rate_function,
    scgf,
    steady_state,
)
from spintherm.fokker_planck.generator import LINEAR, coefficients, forward
from spintherm.fokker_planck.initial import equilibrium, trimmed

MAGNET = Magnet(moment=3**0.5, gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)
TORQUE = np.array([0.5**0.5, 0.0, 0.5**0.5])
REPEAT = 9
EXPONENTS = 48


def field(nu: float) -> np.ndarray:
    """H with beta m H = nu."""
    return np.array([0.0, 0.0, nu / MAGNET.moment])


def measured(name: str, call: Callable[[], object], repeat: int = REPEAT) -> Figure:
    """Median time of one call in milliseconds, after a warm-up."""
    call()
    times = []
    for _ in range(repeat):
        began = time.thread_time()
        call()
        times.append(1e3 * (time.thread_time() - began))
    return Figure(name, statistics.median(times), min(times), max(times), "ms")


def cold(nu: float) -> Figure:
    """Steady state with no operator kept from before."""
    times = []
    for _ in range(REPEAT):
        harmonics.forget()
        began = time.thread_time()
        steady_state(MAGNET, field(nu), TORQUE)
        times.append(1e3 * (time.thread_time() - began))
    name = f"steady state with noises, beta m H = {nu:g}, first time"
    return Figure(name, statistics.median(times), min(times), max(times), "ms")


def steady() -> list[Figure]:
    """Steady states at several fields, and the exponent of their growth."""
    fields = (5.0, 17.0, 50.0, 170.0, 500.0, 1700.0, 5000.0, 17000.0)
    figures = [
        measured(
            f"steady state with noises, beta m H = {nu:g}",
            lambda nu=nu: steady_state(MAGNET, field(nu), TORQUE),
        )
        for nu in fields
    ]
    tail = slice(3, None)
    exponent = np.polyfit(np.log(fields[tail]), np.log([f.value for f in figures[tail]]), 1)[0]
    figures.append(
        Figure("growth: time ~ field^x from beta m H = 170 on", exponent, exponent, exponent, "")
    )
    H = field(1e5)
    parallel = np.array([0.0, 0.0, 1.0])
    figures.append(
        measured(
            "steady state with noises, P parallel H, beta m H = 1e5",
            lambda: steady_state(MAGNET, H, parallel),
        )
    )
    return figures


def counting() -> list[Figure]:
    """Counting statistics at moderate and strong field."""
    figures = []
    for nu in (17.0, 170.0):
        H = field(nu)
        for work, pumped in ((0.3, -0.7), (-0.5, -0.5)):
            figures.append(
                measured(
                    f"scgf({work}, {pumped}), beta m H = {nu:g}",
                    lambda H=H, work=work, pumped=pumped: scgf(
                        MAGNET, H, TORQUE, work=work, pumped_entropy=pumped
                    ),
                )
            )
    H = field(17.0)
    figures.append(
        measured(
            "four cumulants, beta m H = 17",
            lambda: cumulants(MAGNET, H, TORQUE, pumped_entropy=1.0),
        )
    )
    value = 0.9 * steady_state(MAGNET, H, TORQUE).pumped_entropy_rate
    figures.append(
        measured(
            "rate function at one value, beta m H = 17",
            lambda: rate_function(MAGNET, H, TORQUE, "pumped_entropy", value),
        )
    )
    return figures


def relaxation() -> list[Figure]:
    """Spectrum, correlation and samples of one steady state."""
    state = steady_state(MAGNET, field(17.0), TORQUE)
    rng = np.random.default_rng(1)

    def variance() -> None:
        steady_state(MAGNET, field(17.0), TORQUE).pumped_entropy_variance([0.1, 0.5, 2.0])

    return [
        measured("six slowest eigenvalues, beta m H = 17", lambda: state.spectrum(6)),
        measured("state and Var S_P at three times, beta m H = 17", variance),
        measured("10^5 samples, beta m H = 17", lambda: state.sample(100_000, rng)),
    ]


def driven() -> list[Figure]:
    """Exact densities and generating functions of process (b) blue of Table I of [I]."""
    process = table_one()[3]
    magnet, protocol = process.magnet, process.protocol
    k = np.linspace(-1.5, 0.5, EXPONENTS)

    def ours() -> None:
        generating_function(
            magnet, protocol, work=k, pumped_entropy=k, tolerance=1e-8, progress=False
        )

    contestants = [
        Contestant(
            "scipy's Radau, one exponent at a time, same generator",
            1,
            "exponents/s",
            lambda: by_scipy(magnet, protocol, float(k[3])),
        ),
        Contestant(f"generating function, {EXPONENTS} exponents", EXPONENTS, "exponents/s", ours),
    ]
    rival, found = rates(contestants, repeat=3)
    call = {
        "density of Sigma, 401 points to 1e-10 of the maximum": lambda: distribution(
            magnet, protocol, progress=False
        ),
        "density of W": lambda: distribution(magnet, protocol, of="work", progress=False),
        "moments of W and S_P to fourth order": lambda: moments(magnet, protocol),
        "density in time, 101 times": lambda: evolve(magnet, protocol, progress=False),
    }
    timed = [measured(f"{name}, (b) blue", one, repeat=3) for name, one in call.items()]
    return [rival, against(found, rival), *timed]


def by_scipy(magnet: Magnet, protocol: Protocol, k: float) -> float:
    """G(k, k) by an implicit general-purpose integrator on the generator in harmonics to l = 16."""
    basis = harmonics.Basis(16, 16)
    tau = protocol.duration

    def matrix(t: float) -> Any:
        H, P = protocol.field(t), protocol.spin_torque(t)
        rate = (protocol.final_field - protocol.initial_field) / tau
        here = coefficients(magnet, H, P, work=k, pumped_entropy=k)
        here[..., LINEAR] -= k * magnet.beta * magnet.moment * rate
        return forward(basis, here).tocsc()

    _, start = trimmed(*equilibrium(magnet, protocol.initial_field, axial=False), 0.0)
    y = np.zeros(basis.size)
    count = min(start.size, basis.size)
    y[:count] = start[:count]
    for a, b in ((0.0, 0.5 * tau), (0.5 * tau, tau)):  # P has a kink half way
        y = solve_ivp(
            lambda t, v: matrix(t) @ v,
            (a, b),
            y,
            "Radau",
            rtol=1e-8,
            atol=1e-10,
            jac=lambda t, _: matrix(t),
        ).y[:, -1]
    return float(np.sqrt(4.0 * np.pi) * y[0])


def figures() -> list[Figure]:
    """All figures of the density engine."""
    return [
        *steady(),
        cold(17.0),
        cold(170.0),
        *counting(),
        *relaxation(),
        *driven(),
    ]
