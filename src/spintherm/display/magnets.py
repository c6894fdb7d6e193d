"""A magnet: its wells on the sphere, its polarisers, its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintherm.display.card import Row, card, number, text, vector
from spintherm.display.svg import VERMILLION, Arrow, globe

Floats = NDArray[np.float64]

_SUPERSCRIPTS = ("", "", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸")
_FEWEST = 3
"""Terms of a polynomial up to which it is written out."""


def magnet_card(magnet: Any) -> str:
    """Return a magnet as a picture and a table.

    Parameters
    ----------
    magnet : Magnet

    Returns
    -------
    str
        HTML.
    """
    gilbert = magnet.damping * magnet.moment / abs(magnet.gyromagnetic_ratio)
    rows: list[Row] = [
        ("moment |m|", number(magnet.moment), ""),
        ("gyromagnetic ratio γ₀", number(magnet.gyromagnetic_ratio), "per field and time"),
        ("damping η", number(magnet.damping), "per energy and time"),
        ("Gilbert damping η|m|/|γ₀|", number(gilbert), ""),
        ("temperature T", number(magnet.temperature), "energy, k_B = 1"),
    ]
    if magnet.anisotropy is not None:
        rows += anisotropy_rows(magnet.anisotropy, magnet.temperature)
    rows += [("polariser p̂", polariser_text(one), "") for one in magnet.polarisers]
    return card("Magnet", magnet_picture(magnet.anisotropy, magnet.polarisers), rows)


def magnet_text(magnet: Any) -> str:
    """Return a magnet in a few lines.

    Parameters
    ----------
    magnet : Magnet

    Returns
    -------
    str
    """
    gilbert = magnet.damping * magnet.moment / abs(magnet.gyromagnetic_ratio)
    numbers = (
        f"|m| = {number(magnet.moment)}, γ₀ = {number(magnet.gyromagnetic_ratio)},"
        f" η = {number(magnet.damping)}, T = {number(magnet.temperature)}"
    )
    if magnet.anisotropy is None:
        energy = "none: every direction has the same energy"
    else:
        rows = anisotropy_rows(magnet.anisotropy, magnet.temperature)
        energy = ", ".join(f"{name} {value}" for name, value, _ in rows)
    torques = (f"p̂ = {polariser_text(one)}" for one in magnet.polarisers)
    torque = "; ".join(torques) or "uniform, in any direction"
    return text(
        f"Magnet: {numbers}",
        [
            f"Gilbert damping η|m|/|γ₀| = {number(gilbert)}",
            f"anisotropy: {energy}",
            f"torque: {torque}",
        ],
    )


def anisotropy_rows(anisotropy: Any, temperature: float) -> list[Row]:
    """Return what an anisotropy energy is, where it is lowest and how far it reaches."""
    lowest, highest = (extremum(anisotropy, sign) for sign in (1.0, -1.0))
    depth = float(anisotropy(highest) - anisotropy(lowest))
    span = number(depth)
    if temperature > 0.0:
        span += f" = {number(depth / temperature)} T"
    rows = [("easiest along", f"±{vector(lowest.tolist())}", ""), ("highest less lowest", span, "")]
    if len(anisotropy.terms) <= _FEWEST:
        rows.insert(0, ("E_a(n) =", polynomial(anisotropy.terms), "energy"))
    return rows


def polynomial(terms: Any) -> str:
    """Return a polynomial in the components of n, for example "0.5 n_x² + 0.5 n_y²"."""
    written = []
    for exponents, coefficient in terms:
        powers = "".join(
            f" n_{axis}{_SUPERSCRIPTS[power]}"
            for axis, power in zip("xyz", exponents, strict=True)
            if power
        )
        written.append(f"{number(coefficient)}{powers}")
    return " + ".join(written).replace("+ −", "− ") or "0"


def polariser_text(polariser: Any) -> str:
    """Return direction and efficiency, for example "(0, 0, 1), g = 1/(1 + 0.5 c)"."""
    efficiency = polariser.efficiency
    terms = [
        f"{number(value)}{f' c{_SUPERSCRIPTS[power]}' if power else ''}"
        for power, value in enumerate(efficiency.numerator)
        if value != 0.0
    ]
    above = " + ".join(terms).replace("+ −", "− ") or "0"
    if efficiency.asymmetry != 0.0:
        sign = "+" if efficiency.asymmetry > 0.0 else "−"
        above = above if len(terms) < 2 else f"({above})"
        above += f"/(1 {sign} {number(abs(efficiency.asymmetry))} c)"
    found = f"{vector(polariser.direction)}, g = {above}"
    if polariser.strength != 1.0:
        found += f", strength {number(polariser.strength)}"
    if polariser.field_like != 0.0:
        found += f", field-like {number(polariser.field_like)}"
    return found


def magnet_picture(anisotropy: Any, polarisers: Any = ()) -> str:
    """Return the sphere, darkest where the energy is lowest, with its easy axis and polarisers."""
    arrows = [
        Arrow(0.85 * np.asarray(one.direction), "p̂" if place == 0 else f"p̂{place + 1}", VERMILLION)
        for place, one in enumerate(polarisers)
    ]
    if anisotropy is None:
        tilt = np.array([-0.5, 0.55, 0.67])
        arrows.append(Arrow(tilt / np.linalg.norm(tilt), "m"))
        return globe(arrows, label="a moment on the sphere")
    lowest, highest = (extremum(anisotropy, sign) for sign in (1.0, -1.0))
    low, high = float(anisotropy(lowest)), float(anisotropy(highest))

    def depth(n: Floats) -> Floats:
        # a high power, so that the wells stand out
        return np.asarray(((high - anisotropy(n)) / (high - low)) ** 4)

    dots = [Arrow(sign * lowest, "") for sign in (1.0, -1.0)]
    return globe(arrows, dots, depth, label="anisotropy energy on the sphere, darkest where lowest")


def extremum(anisotropy: Any, sign: float) -> Floats:
    """Return a direction at which sign × energy is lowest: a scan, then ever smaller circles.

    Parameters
    ----------
    anisotropy : Anisotropy
    sign : float
        1 for the lowest, -1 for the highest.

    Returns
    -------
    ndarray, shape (3,)
        To 1e-6, with the first component that is not zero positive.
    """
    count = 600
    z = (np.arange(count) + 0.5) / count
    phi = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(count)
    r = np.sqrt(1.0 - z**2)
    n = np.concatenate([np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=-1), np.eye(3)])
    best = n[np.argmin(sign * anisotropy(n))]
    angle = np.arange(12) * np.pi / 6.0
    size = 0.1
    while size > 1e-7:
        one = np.cross(best, np.eye(3)[np.argmin(np.abs(best))])
        one = one / np.linalg.norm(one)
        other = np.cross(best, one)
        around = best + size * (np.outer(np.cos(angle), one) + np.outer(np.sin(angle), other))
        tried = np.concatenate([best[None], around / np.linalg.norm(around, axis=1)[:, None]])
        place = int(np.argmin(sign * anisotropy(tried)))
        best, size = tried[place], (0.5 * size if place == 0 else size)
    best = np.where(np.abs(best) < 1e-6, 0.0, best)
    best = best / np.linalg.norm(best)
    return np.asarray(best * np.sign(best[np.flatnonzero(best)[0]]))
