"""Operations of one step, counted in the compiled code, and what the processor could do at most.

A step's loops over lanes appear in LLVM's output as vector loops; each of their operations is done
once for every lane. Fused multiply-adds count as two floating-point operations, divisions and
square roots as one. A vector holds twice as many singles as doubles: for what the processor could
do, an operation in single precision is half of one in double.
"""

from __future__ import annotations

import re
import time
from dataclasses import astuple, dataclass

import numba
import numpy as np

from spintherm import Magnet, Protocol
from spintherm.kernels.jit import fma, prefer_wide_vectors
from spintherm.tabulate import tabulate
from spintherm.trajectories.engine import Scheme, table

PATTERNS = {
    "fused": r"call [^\n]*<{n} x {real}> @llvm\.fma",
    "products": r"fmul [^\n]*<{n} x {real}>",
    "sums": r"f(?:add|sub|neg) [^\n]*<{n} x {real}>",
    "divisions": r"fdiv [^\n]*<{n} x {real}>",
    "roots": r"call [^\n]*<{n} x {real}> @llvm\.sqrt",
    "integer": r"= (?:add|sub|xor|or|and|shl|lshr)[^\n]* <{n} x {whole}>|@llvm\.fshl\.v{n}{whole}",
}
ROTATIONS = 2  # of one raw number
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

    def __add__(self, other: Operations) -> Operations:
        return Operations(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

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


@dataclass(frozen=True)
class Step:
    """Operations of one step in double and in single precision."""

    double: Operations
    single: Operations

    @property
    def flops(self) -> int:
        """Floating-point operations of either precision."""
        return self.double.flops + self.single.flops

    @property
    def double_flops(self) -> float:
        """Those in double precision that would take as long at best."""
        return self.double.flops + 0.5 * self.single.flops

    @property
    def least_slots(self) -> float:
        """Instructions that only the units for multiplication can take, on vectors of doubles."""
        return self.double.least_slots + 0.5 * self.single.least_slots

    def __str__(self) -> str:
        singles = f"; in single precision {self.single}" if self.single.flops else ""
        return f"{self.double}{singles}"


NOTHING = Operations(0, 0, 0, 0, 0, 0)


def operations(scheme: Scheme) -> Step:
    """Count the operations in the loops over lanes that every step of a scheme's kernel runs."""
    fresh = numba.njit(nogil=True, error_model="numpy")(scheme.advance.py_func)
    state = np.zeros((6, 8))
    state[2] = 1.0
    fresh(state, np.ones((4, 8), np.uint64), np.zeros((1, columns(scheme))), np.zeros((1, 3)))
    (code,) = fresh.inspect_llvm().values()
    double, single, drawn = NOTHING, NOTHING, False
    for block in re.split(r"\n(?=[\w.]+:)", code):
        if not block.startswith("vector.body"):
            continue
        if re.search(r"sqrt\.v\d+f32", block):
            single += _counts(block, "float", "i32")
            continue
        found = _counts(block, "double", "i64")
        rotations = len(re.findall(r"@llvm\.fshl\.v\d+i64", block))
        if rotations and not found.flops:
            # numbers alone, several at once: one of them, and of one such loop
            one = Operations(0, 0, 0, 0, 0, found.integer * ROTATIONS // rotations)
            double += NOTHING if drawn else one
            drawn = True
        # loops of every step draw numbers, take a root, or divide where they read what was drawn,
        # as integers or in single precision; loops at the ends of a call do none of these
        elif (
            found.integer > MANY
            or found.roots > 0
            or "fpext" in block
            or (found.divisions > 1 and found.integer > 0)
        ):
            double += found
    return Step(double, single)


def columns(scheme: Scheme) -> int:
    """Length of a row of a scheme's constants."""
    rest = tabulate(Protocol(1.0, None, None), 1)
    return table(Magnet(1.0, 1.0, 0.5, 1.0), rest, scheme).constants.shape[1]


def _counts(block: str, real: str, whole: str) -> Operations:
    # integers may be loaded in longer vectors than they are worked on
    width = re.search(rf"<(\d+) x {real}>", block) or re.search(rf"<(\d+) x {whole}>", block)
    if width is None:
        return NOTHING
    kinds = {"n": width.group(1), "real": real, "whole": whole}
    return Operations(
        **{name: len(re.findall(text.format(**kinds), block)) for name, text in PATTERNS.items()}
    )


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
