"""Elementary functions that the compiler turns into vector code; relative errors below 1e-15.

The usual wheels of llvmlite have no vector library, and libm's ``exp`` costs five times as much as these.
"""

from __future__ import annotations

from typing import Any

from semlang.estimation.kernels.declaring import exact, inline, intrinsic

__all__ = ["bits_to_float", "fabs", "float_to_bits", "fmax", "fmin", "log_cdf_normal", "scaled_erfc", "vexp", "vlog"]


def _unary(name: str) -> Any:
    @intrinsic
    def function(context: Any, x: Any) -> Any:
        from llvmlite import ir
        from numba import types

        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.call(builder.module.declare_intrinsic(name, [ir.DoubleType()]), arguments)

        return types.float64(types.float64), build

    return function


def _binary(name: str) -> Any:
    @intrinsic
    def function(context: Any, x: Any, y: Any) -> Any:
        from llvmlite import ir
        from numba import types

        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            double = ir.DoubleType()
            kind = ir.FunctionType(double, [double, double])
            return builder.call(builder.module.declare_intrinsic(name, [double], kind), arguments)

        return types.float64(types.float64, types.float64), build

    return function


@intrinsic
def bits_to_float(context: Any, x: Any) -> Any:
    """Read 64 bits as a floating-point number."""
    from llvmlite import ir
    from numba import types

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), build


@intrinsic
def float_to_bits(context: Any, x: Any) -> Any:
    """Read a floating-point number as 64 bits."""
    from llvmlite import ir
    from numba import types

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), build


_rint = _unary("llvm.rint")
fabs = _unary("llvm.fabs")
fmin = _binary("llvm.minnum")
fmax = _binary("llvm.maxnum")

_SHIFT = 6755399441055744.0  # 1.5 * 2**52
_LOG2E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10


@exact
def vexp(x: float) -> float:
    """Exponential; the argument is held within +-708, so that the value is a normal number."""
    x = fmin(fmax(x, -708.0), 708.0)
    n = _rint(x * _LOG2E)
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    r2 = r * r
    r4 = r2 * r2
    q0 = (1.0 + r) + r2 * (0.5 + r * (1 / 6.0))
    q1 = (1 / 24.0 + r * (1 / 120.0)) + r2 * (1 / 720.0 + r * (1 / 5040.0))
    q2 = (
        (1 / 40320.0 + r * (1 / 362880.0))
        + r2 * (1 / 3628800.0 + r * (1 / 39916800.0))
        + r4 * (1 / 479001600.0)
    )  # fmt: skip
    p = q0 + r4 * q1 + r4 * r4 * q2
    power: float = bits_to_float(float_to_bits(p) + (float_to_bits(n + _SHIFT) << 52))
    return power


@exact
def vlog(y: float) -> float:
    """Natural logarithm of a positive normal number: exponent, and the series of atanh for the mantissa."""
    bits = float_to_bits(y)
    exponent = (bits - 0x3FE6A09E667F3BCD) >> 52  # mantissa in [sqrt(1/2), sqrt(2))
    m = bits_to_float(bits - (exponent << 52))
    e = bits_to_float(exponent + 0x4338000000000000) - _SHIFT
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 1.0 / 21.0
    p = p * z + 1.0 / 19.0
    p = p * z + 1.0 / 17.0
    p = p * z + 1.0 / 15.0
    p = p * z + 1.0 / 13.0
    p = p * z + 1.0 / 11.0
    p = p * z + 1.0 / 9.0
    p = p * z + 1.0 / 7.0
    p = p * z + 1.0 / 5.0
    p = p * z + 1.0 / 3.0
    p = p * z * s + s
    logarithm: float = 2.0 * p + e * 0.6931471805599453
    return logarithm


@inline
def scaled_erfc(x: float) -> float:
    """Return ``exp(x**2) * erfc(x)`` for x >= 0: polynomial in (x - 3)/(x + 3), over 1 + 2x."""
    t = (x - 3.0) / (x + 3.0)
    z = t * t
    even = -3.2885423257515964e-09
    even = even * z + 2.8414844988725045e-08
    even = even * z + -1.2185767425124608e-07
    even = even * z + 3.384183083409986e-07
    even = even * z + -7.201911550179232e-07
    even = even * z + 4.944863812197324e-06
    even = even * z + -0.00010515856555969462
    even = even * z + 0.001888690152270957
    even = even * z + -0.023770514898583773
    even = even * z + -0.11927366341625817
    even = even * z + -0.047562294353437326
    even = even * z + 1.2530080582697294
    odd = -7.688901035494279e-09
    odd = odd * z + 8.78880782856037e-08
    odd = odd * z + -5.968745646072658e-07
    odd = odd * z + 3.4548430648959625e-06
    odd = odd * z + -2.009038040646785e-05
    odd = odd * z + 0.0001250954770640241
    odd = odd * z + -0.000779831324437864
    odd = odd * z + 0.0025293916743817637
    odd = odd * z + 0.06830802735574246
    odd = odd * z + 0.12964515870230964
    odd = odd * z + -0.13562110612457579
    return (even + t * odd) / (1.0 + 2.0 * x)


@inline
def log_cdf_normal(x: float) -> tuple[float, float]:
    """Return ``log Phi(x)`` and ``phi(x) / Phi(x)``, both to full precision in either tail."""
    e = scaled_erfc(fabs(x) * 0.7071067811865476)
    half = 0.5 * x * x
    g = vexp(-half)
    upper = 1.0 - 0.5 * e * g
    low = x < 0.0
    log_p = vlog(0.5 * e if low else upper) - (half if low else 0.0)
    hazard = (0.7978845608028654 if low else 0.3989422804014327 * g) / (e if low else upper)
    return log_p, hazard
