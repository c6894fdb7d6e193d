"""Other people's integrators of the same equation, where they are installed (`make bench-peers`).

cmtj: compiled macrospin with thermal field, Heun's method, its own units. diffrax: a general
library for stochastic differential equations, Euler-Heun under jit and vmap in double precision,
with the cheapest Brownian path it has; no functionals in either.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

from benchmarks.figures import Contestant

UNIT = "spin-steps/s/core"
CMTJ_STEPS = 400_000
DIFFRAX_LANES, DIFFRAX_STEPS = 4096, 64


def peers() -> Iterator[Contestant]:
    """Those that can be imported; timed by the processor time of all their threads."""
    if find_spec("cmtj") is not None:
        call = cmtj_heun(CMTJ_STEPS)
        yield Contestant("cmtj Heun, thermal macrospin", CMTJ_STEPS, UNIT, call, time.process_time)
    if find_spec("diffrax") is not None:
        work = DIFFRAX_LANES * DIFFRAX_STEPS
        call = diffrax_euler_heun(DIFFRAX_LANES, DIFFRAX_STEPS)
        yield Contestant("diffrax Euler-Heun", work, UNIT, call, time.process_time)


def cmtj_heun(steps: int) -> Callable[[], object]:
    """One macrospin in a constant field at room temperature."""
    import cmtj

    def call() -> None:
        demagnetisation = [cmtj.CVector(0, 0, z) for z in (0, 0, 1)]
        axis = cmtj.CVector(0, 0, 1)
        layer = cmtj.Layer("free", axis, axis, 1.0, 1e-9, 1e-16, demagnetisation, 0.1)
        junction = cmtj.Junction([layer])
        constant = cmtj.ScalarDriver.getConstantDriver
        junction.setLayerTemperatureDriver("free", constant(300.0))
        field = cmtj.AxialDriver(constant(0.0), constant(0.0), constant(1e5))
        junction.setLayerExternalFieldDriver("free", field)
        step = 1e-13
        mode = cmtj.SolverMode.Heun
        junction.runSimulation(steps * step, step, steps * step, False, False, mode)

    return call


def diffrax_euler_heun(count: int, steps: int) -> Callable[[], object]:
    """The ramp of the field and the triangle of the torque of [I] Table I (b), blue."""
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    moment = 3.0**0.5

    def drift(t, n, _):
        H = jnp.array([0.0, 0.0, 1.0 - 2.0 * t])
        P = jnp.array([0.0, 1.0, 1.0]) * jnp.minimum(2.0 * t, 2.0 - 2.0 * t)
        b, r = moment * (0.5 * H + P), H - 1.5 * P
        return b - n * (n @ b) + jnp.cross(r, n)

    def noise(_t, n, _):  # sqrt(2 eta T) = 1
        return jnp.array([[0.0, -n[2], n[1]], [n[2], 0.0, -n[0]], [-n[1], n[0], 0.0]])

    def one(key):
        path = diffrax.UnsafeBrownianPath((3,), key, levy_area=diffrax.BrownianIncrement)
        terms = diffrax.MultiTerm(diffrax.ODETerm(drift), diffrax.ControlTerm(noise, path))
        solution = diffrax.diffeqsolve(
            terms,
            diffrax.EulerHeun(),
            0.0,
            1.0,
            1.0 / steps,
            jnp.array([0.0, 0.0, 1.0]),
            adjoint=diffrax.ForwardMode(),
            max_steps=steps + 1,
        )
        return solution.ys[0]

    keys = jax.random.split(jax.random.key(1), count)
    compiled = jax.jit(jax.vmap(one))
    return lambda: compiled(keys).block_until_ready()
