"""Compilation: decorators for helpers and entry points, and a cache that is never stale.

Numba keys its own disk cache by the file of the decorated function alone, so a change in a helper
of another file leaves a stale kernel behind, and it writes beside the source. Here the cache folder
is named by a digest of every source in this package, the versions of numba and llvmlite and the
processor, and lies in the user's cache directory (``SPINTHERM_CACHE_DIR`` overrides it). Without a
writable folder, kernels are compiled anew in each process.

Arithmetic is strict IEEE (no ``fastmath``): the same seed gives the same bits on one thread or
many, cached or not, with whatever vector length the processor has. Fused multiply-adds are written
out (`fma`), never left to the compiler.
"""

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features, get_host_cpu_name
from numba.core import caching, types
from numba.extending import intrinsic

inline = numba.njit(forceinline=True, nogil=True, error_model="numpy")
table = numba.njit(nogil=True, error_model="numpy")
"""For what is made once a call: inlined, its little loops take half a minute to compile."""


def _digest() -> str:
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    machine = (get_host_cpu_name(), get_host_cpu_features().flatten(), sys.version, os.name)
    digest.update(repr((numba.__version__, llvmlite.__version__, machine)).encode())
    return digest.hexdigest()[:24]


KERNEL_DIGEST = _digest()


def cache_directory() -> Path:
    """Return the folder that holds this version's compiled kernels (it may not exist yet)."""
    root = os.environ.get("SPINTHERM_CACHE_DIR")
    if root is None:
        home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        root = os.path.join(os.path.expanduser(home), "spintherm")
    return Path(root) / "kernels" / KERNEL_DIGEST


class _Locator(caching._CacheLocator):
    """Places every kernel in the folder named by the digest; the digest is the only stamp."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def get_cache_path(self) -> str:
        return str(cache_directory())

    def get_source_stamp(self) -> str:
        return KERNEL_DIGEST

    def get_disambiguator(self) -> str:
        return self._function.__name__

    @classmethod
    def from_function(cls, function: Callable[..., Any], _file: str) -> "_Locator | None":
        locator = cls(function)
        try:
            locator.ensure_cache_path()
        except OSError:
            return None
        return locator


class _Impl(caching.CompileResultCacheImpl):
    _locator_classes = [_Locator]  # type: ignore[list-item]  # noqa: RUF012


class _Cache(caching.FunctionCache):
    _impl_class = _Impl


def kernel(function: Callable[..., Any]) -> Any:
    """Compile an entry point: strict IEEE, without the GIL, cached by the digest of its sources."""
    dispatcher: Any = numba.njit(nogil=True, error_model="numpy")(function)
    with suppress(RuntimeError, OSError):  # no writable folder: compile in memory
        dispatcher._cache = _Cache(function)
    return dispatcher


@intrinsic
def fma(typing_context, a, b, c):
    """Return a*b + c with a single rounding: in single precision if all three are, else double."""
    del typing_context
    single = a == b == c == types.float32
    kind = types.float32 if single else types.float64

    def generate(_context, builder, _signature, arguments):
        return builder.fma(*arguments)

    return kind(kind, kind, kind), generate


def _reinterpreted(context, builder, signature, arguments):
    return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))


@intrinsic
def as_float(typing_context, bits):
    """Reinterpret 64 bits as a double, or 32 bits as a single."""
    del typing_context
    single = bits == types.uint32
    signature = types.float32(types.uint32) if single else types.float64(types.uint64)
    return signature, _reinterpreted


@intrinsic
def as_bits(typing_context, value):
    """Reinterpret a double as 64 bits, or a single as 32 bits."""
    del typing_context
    single = value == types.float32
    signature = types.uint32(types.float32) if single else types.uint64(types.float64)
    return signature, _reinterpreted


SIGN_BIT = np.uint64(1 << 63)


@intrinsic
def sign_of(typing_context, value):
    """Return the sign bit of a double or a single, all other bits zero."""
    del typing_context
    single = value == types.float32
    signature = types.uint32(types.float32) if single else types.uint64(types.float64)

    def generate(context, builder, signature, arguments):
        kind = context.get_value_type(signature.return_type)
        bits = builder.bitcast(arguments[0], kind)
        return builder.and_(bits, kind(1 << (kind.width - 1)))

    return signature, generate


@intrinsic
def flip(typing_context, value, sign):
    """Return a number with its sign flipped where `sign`, all other bits zero, has its bit set."""
    del typing_context, sign
    single = value == types.float32
    signature = (
        types.float32(types.float32, types.uint32)
        if single
        else types.float64(types.float64, types.uint64)
    )

    def generate(context, builder, signature, arguments):
        value, sign = arguments
        bits = builder.xor(builder.bitcast(value, sign.type), sign)
        return builder.bitcast(bits, value.type)

    return signature, generate


@intrinsic
def prefer_wide_vectors(typing_context):
    """Let the loops of the enclosing function use 512-bit registers where the processor has them.

    Compilers hold back from them by default, for the sake of code that uses them rarely; these
    loops do nothing else (measured: a fifth faster). What the registers cannot hold goes to a stack
    aligned to whole cache lines (up to a fifth again, by chance). No bit of the result depends on
    it. LLVM knows the attributes, llvmlite's list does not, hence the detour by `set.add`.
    """
    del typing_context

    def generate(context, builder, _signature, _arguments):
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        set.add(builder.function.attributes, '"stackrealign"')
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic(prefer_literal=True)
def stack_address(typing_context, size):
    """Return the address of `size` bytes on the stack of the enclosing function, on a cache line.

    size is a literal. Buffers of a lane loop belong there: the stack also holds what the loop has
    no registers for, and where two pages are apart by chance, a first-level cache that guesses the
    way from the address (AMD's) may take lines of one for lines of the other: measured in one
    process out of four, a fifth slower. Pages side by side are told apart.
    """
    del typing_context
    count = size.literal_value

    def generate(_context, builder, _signature, _arguments):
        byte = ir.IntType(8)
        with builder.goto_entry_block():
            room = builder.alloca(ir.ArrayType(byte, count))
        room.align = 64
        return builder.bitcast(room, byte.as_pointer())

    return types.voidptr(size), generate
