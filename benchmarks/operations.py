"""Operations of one step, counted in the compiled code, and what the processor could do at most.

A step's loops over lanes appear in LLVM's output as vector loops; each of their operations is done
once for every lane. Fused multiply-adds count as two floating-point operations, divisions and
square roots as one.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import numba
import numpy as np

from spintherm import Magnet, Protocol
from spintherm.kernels.jit import fma, prefer_wide_vectors
from spintherm.tabulate import tabulate
from spintherm.trajectories.engine import Scheme, table

PATTERNS = {
    "fused": r"call [^\n]*<{n} x double> @llvm\.fma",
    "products": r"fmul [^\n]*<{n} x double>",
    "sums": r"f(?:add|sub|neg) [^\n]*<{n} x double>",
    "divisions": r"fdiv [^\n]*<{n} x double>",
    "roots": r"call [^\n]*<{n} x double> @llvm\.sqrt",
    "integer": r"= (?:add|sub|xor|or|and|shl|lshr)[^\n]* <{n} x i64>|@llvm\.fshl\.v{n}i64",
}
MANY = 15
LANES = 96
ROUNDS = 200_000


@dataclass(frozen=True)
class Operations:
    """Operations of one step of one trajectory."""

    fused: int
    products: int
    sums: int
    divisions: int
    roots: int
    integer: int

    @property
    def flops(self) -> int:
        """Floating-point operations."""
        return 2 * self.fused + self.products + self.sums + self.divisions + self.roots

    @property
    def least_slots(self) -> int:
        """Vector instructions that only the units for multiplication can take."""
        return self.fused + self.products + self.divisions + self.roots

    def __str__(self) -> str:
        return (
            f"{self.fused} fused, {self.products} products, {self.sums} sums, "
            f"{self.divisions} divisions, {self.roots} roots, {self.integer} integer"
        )


def operations(scheme: Scheme) -> Operations:
    """Count the operations in the loops over lanes that every step of a scheme's kernel runs."""
    fresh = numba.njit(nogil=True, error_model="numpy")(scheme.advance.py_func)
    state = np.zeros((6, 8))
    state[2] = 1.0
    fresh(state, np.ones((4, 8), np.uint64), np.zeros((1, columns(scheme))), np.zeros((1, 3)))
    (code,) = fresh.inspect_llvm().values()
    totals = dict.fromkeys(PATTERNS, 0)
    for block in re.split(r"\n(?=[\w.]+:)", code):
        found = _counts(block) if block.startswith("vector.body") else {}
        # loops of every step draw numbers or take a root; loops at the ends of a call do neither
        if found.get("integer", 0) > MANY or found.get("roots", 0) > 0:
            totals = {name: totals[name] + found[name] for name in totals}
    return Operations(**totals)


def columns(scheme: Scheme) -> int:
    """Length of a row of a scheme's constants."""
    rest = tabulate(Protocol(1.0, None, None), 1)
    return table(Magnet(1.0, 1.0, 0.5, 1.0), rest, scheme).constants.shape[1]


def _counts(block: str) -> dict[str, int]:
    width = re.search(r"<(\d+) x (?:double|i64)>", block)
    if width is None:
        return {}
    n = width.group(1)
    return {name: len(re.findall(text.format(n=n), block)) for name, text in PATTERNS.items()}


@numba.njit(nogil=True)
def _multiply(x, rounds, a, b):
    prefer_wide_vectors()
    v = np.empty(LANES)
    for i in range(LANES):
        v[i] = x[i]
    for _ in range(rounds):
        for i in range(LANES):
            v[i] = fma(v[i], a, b)
    for i in range(LANES):
        x[i] = v[i]


def peak_fused(repeat: int = 9) -> float:
    """Fused multiply-adds per second of one core, the best of several measurements."""
    x = np.ones(LANES)
    _multiply(x, 10, 0.999, 0.001)
    best = np.inf
    for _ in range(repeat):
        began = time.thread_time()
        _multiply(x, ROUNDS, 0.999, 0.001)
        best = min(best, time.thread_time() - began)
    return LANES * ROUNDS / best
