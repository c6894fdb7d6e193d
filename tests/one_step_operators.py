"""One-step operators of a scheme by quadrature: its weak error without a random number.

A step acts on functions of n by averaging over the noise: (K f)(n) = <f(n')>, and likewise for
functions of n, W and S_P that are polynomials or exponentials in W and S_P. Functions are held by
their real harmonics; the noise of a step is summed over Gauss nodes of 1 - cos(theta), equally
spaced azimuths and the weights of the sign. What advances n is the compiled kernel itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sphere_oracle import sphere_nodes
from spintherm.fokker_planck import generating_function, harmonics, moments
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.tabulate import tabulate
from spintherm.trajectories.engine import SCHEMES, Table, table

NAMES = ("<W>", "<Sigma>", "Var W", "Cov(W, S_P)", "<exp(-beta (W - dF))>")


@dataclass(frozen=True)
class Outcomes:
    """All outcomes of one step from k nodes, j of the noise and v values of the sign.

    direction (k, j, 3); probability (j,); for the sign, probability, work and pumped entropy
    (k, j, v).
    """

    direction: np.ndarray
    probability: np.ndarray
    sign_probability: np.ndarray
    work: np.ndarray
    pumped: np.ndarray

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Average (k, j, v) over the noise, shape (k,)."""
        return np.sum(values * self.sign_probability, axis=-1) @ self.probability


Step = Callable[[np.ndarray, np.ndarray, int], Outcomes]


def versine_nodes(floor, span, inverse, count):
    """Gauss nodes of x = 1 - cos(theta) for the von Mises-Fisher law: uniforms and weights.

    The rule comes from the Jacobi matrix of the law, by Lanczos on a fine Gauss-Legendre rule.
    """
    concentration = 1.0 / inverse
    end = min(2.0, 50.0 / concentration)
    y, fine = np.polynomial.legendre.leggauss(120)
    x = 0.5 * end * (1.0 + y)
    weight = fine * np.exp(-concentration * x)
    basis = [np.sqrt(weight / weight.sum())]
    diagonal, off = [], []
    for _ in range(count):
        vector = x * basis[-1]
        diagonal.append(vector @ basis[-1])
        for _ in range(2):
            vector = vector - np.array(basis).T @ (np.array(basis) @ vector)
        off.append(np.linalg.norm(vector))
        basis.append(vector / off[-1])
    nodes, vectors = np.linalg.eigh(
        np.diag(diagonal) + np.diag(off[:-1], 1) + np.diag(off[:-1], -1)
    )
    return (np.exp(-concentration * nodes) - floor) / span, vectors[0] ** 2


def noise_nodes(floor, span, inverse, radial, azimuthal):
    """Uniforms, azimuths over pi and weights, shape (radial * azimuthal,) each."""
    u, weight = versine_nodes(floor, span, inverse, radial)
    turns = -1.0 + (2.0 * np.arange(azimuthal) + 1.0) / azimuthal
    return (
        np.repeat(u, azimuthal),
        np.tile(turns, radial),
        np.repeat(weight, azimuthal) / azimuthal,
    )


@dataclass(frozen=True)
class Sphere:
    """Nodes and harmonics in which the functions are held."""

    basis: harmonics.Basis
    nodes: np.ndarray
    weights: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, degree: int) -> Sphere:
        nodes, weights = sphere_nodes(degree + 1, 2 * degree + 2)
        basis = harmonics.Basis(degree, degree)
        return cls(basis, nodes, weights, basis.evaluate(nodes))

    def project(self, functions: np.ndarray) -> np.ndarray:
        """Coefficients of functions given at the nodes, shape (size, f)."""
        return self.values.T @ (self.weights[:, None] * functions)


def one_step(sphere: Sphere, outcomes: Outcomes, after: np.ndarray, beta: float) -> np.ndarray:
    """Carry (<W>, <S>, <W^2>, <W S>, <e^(-beta W)>) as functions of n back over a step, (k, 5)."""
    later = sphere.basis.expand(sphere.project(after), outcomes.direction)
    W, S, WW, WS, J = (later[..., None, i] for i in range(5))
    w, s = outcomes.work, outcomes.pumped
    return np.stack(
        [
            outcomes.mean(w + W),
            outcomes.mean(s + S),
            outcomes.mean(w * w + 2.0 * w * W + WW),
            outcomes.mean(w * s + w * S + s * W + WS),
            outcomes.mean(np.exp(-beta * w) * J),
        ],
        axis=1,
    )


def jumped(sphere: Sphere, jump: np.ndarray, after: np.ndarray, beta: float) -> np.ndarray:
    """Carry the same functions back over a jump of the field, jump = m DH."""
    w = -sphere.nodes @ jump
    W, S, WW, WS, J = after.T
    return np.stack([w + W, S, w * w + 2.0 * w * W + WW, w * S + WS, np.exp(-beta * w) * J], axis=1)


def observables(
    magnet: Magnet, protocol: Protocol, scheme: str, step: Step, steps: int, sphere: Sphere
) -> np.ndarray:
    """What `NAMES` says, as the scheme with that many steps has it, for a start in equilibrium."""
    cut = table(magnet, tabulate(protocol, steps), SCHEMES[scheme])
    W, S, WW, WS, J = raw_moments(magnet, protocol, cut, step, sphere)
    change = free_energy_change(magnet, protocol)
    sigma = magnet.beta * (W - change) + S
    return np.array([W, sigma, WW - W * W, WS - W * S, J * np.exp(magnet.beta * change)])


def raw_moments(
    magnet: Magnet, protocol: Protocol, cut: Table, step: Step, sphere: Sphere
) -> np.ndarray:
    """<W>, <S_P>, <W^2>, <W S_P>, <e^(-beta W)> of a whole process, for a start in equilibrium."""
    functions = np.zeros((len(sphere.nodes), 5))
    functions[:, 4] = 1.0
    functions = jumped(sphere, cut.jumps[-1], functions, magnet.beta)
    for k in reversed(range(cut.steps)):
        functions = one_step(sphere, step(sphere.nodes, cut.constants, k), functions, magnet.beta)
        functions = jumped(sphere, cut.jumps[k], functions, magnet.beta)
    return equilibrium(magnet, protocol, sphere) @ functions


def equilibrium(magnet: Magnet, protocol: Protocol, sphere: Sphere) -> np.ndarray:
    """Probabilities of the nodes in equilibrium at the first field."""
    exponent = magnet.beta * magnet.moment * (sphere.nodes @ protocol.initial_field)
    density = sphere.weights * np.exp(exponent - exponent.max())
    return np.asarray(density / density.sum())


def steady_means(
    magnet: Magnet, field, torque, h: float, scheme: str, step: Step, sphere: Sphere
) -> np.ndarray:
    """<n>, work per time and pumped entropy per time of the scheme's own steady state, shape (5,).

    The stationary density is the left eigenvector of the one-step operator's matrix.
    """
    cut = table(magnet, tabulate(Protocol(h, field, torque), 1), SCHEMES[scheme])
    outcomes = step(sphere.nodes, cut.constants, 0)
    later = sphere.basis.evaluate(outcomes.direction)
    kernel = sphere.project(np.einsum("kjs,j->ks", later, outcomes.probability))
    unit = np.zeros(sphere.basis.size)
    unit[0] = np.sqrt(4.0 * np.pi)
    density = np.linalg.solve((np.eye(sphere.basis.size) - kernel.T)[1:, 1:], kernel.T[1:, 0])
    values = sphere.values @ np.append(1.0, density) / unit[0] * sphere.weights
    gains = outcomes.mean(outcomes.work), outcomes.mean(outcomes.pumped)
    return np.append(values @ sphere.nodes, [values @ gain / h for gain in gains])


def exact_observables(magnet: Magnet, protocol: Protocol) -> np.ndarray:
    """The same from the density engine."""
    both = moments(magnet, protocol, order=2)
    G = generating_function(magnet, protocol, work=-1.0).generating_function.item()
    change = free_energy_change(magnet, protocol)
    return np.array(
        [
            both.raw_moment.values[1, 0],
            both.entropy_production_raw_moment.values[1],
            both.central_moment.values[2, 0],
            both.central_moment.values[1, 1],
            G * np.exp(magnet.beta * change),
        ]
    )


def free_energy_change(magnet: Magnet, protocol: Protocol) -> float:
    start, end = magnet.free_energy(np.stack((protocol.initial_field, protocol.final_field)))
    return float(end - start)


def slopes(steps, errors) -> np.ndarray:
    """Least-squares slope of ln|error| against ln h, column by column of errors (steps, f)."""
    x = -np.log(np.asarray(steps, dtype=float))
    x = x - x.mean()
    return x @ np.log(np.abs(errors)) / (x @ x)
