# ruff: noqa
# mypy: ignore-errors
"""Vectorisable exp / log for numba wheels without SVML.  Safe under fastmath=True
(no magic-number subtraction that `reassoc` may fold away)."""
import numpy as np, numba as nb
from numba import types
from numba.extending import intrinsic
from llvmlite import ir

@intrinsic
def i2f(tyctx, x):
    sig = types.float64(types.int64)
    def cg(ctx, b, sig, args): return b.bitcast(args[0], ir.DoubleType())
    return sig, cg
@intrinsic
def f2i(tyctx, x):
    sig = types.int64(types.float64)
    def cg(ctx, b, sig, args): return b.bitcast(args[0], ir.IntType(64))
    return sig, cg
def _un(name):
    @intrinsic
    def g(tyctx, x):
        sig = types.float64(types.float64)
        def cg(ctx, b, sig, args):
            fn = b.module.declare_intrinsic(name, [ir.DoubleType()])
            return b.call(fn, args)
        return sig, cg
    return g
def _bin(name):
    @intrinsic
    def g(tyctx, x, y):
        sig = types.float64(types.float64, types.float64)
        def cg(ctx, b, sig, args):
            d = ir.DoubleType()
            fn = b.module.declare_intrinsic(name, [d], ir.FunctionType(d, [d, d]))
            return b.call(fn, args)
        return sig, cg
    return g
rint = _un('llvm.rint'); fabs = _un('llvm.fabs')
fmin = _bin('llvm.minnum'); fmax = _bin('llvm.maxnum')
MAGIC = 6755399441055744.0   # 1.5*2^52
LOG2E = 1.4426950408889634
LN2HI = 6.93147180369123816490e-01
LN2LO = 1.90821492927058770002e-10

@nb.njit(fastmath={'contract','nsz','arcp','nnan','ninf'}, error_model='numpy', cache=True)
def vexp(x):
    x = fmin(fmax(x, -708.0), 708.0)
    n = rint(x*LOG2E)
    r = (x - n*LN2HI) - n*LN2LO
    r2 = r*r; r4 = r2*r2; r8 = r4*r4      # Estrin: short dependency chain
    q0 = (1.0+r) + r2*(0.5+r*(1/6.)); q1 = (1/24.+r*(1/120.)) + r2*(1/720.+r*(1/5040.))
    q2 = (1/40320.+r*(1/362880.)) + r2*(1/3628800.+r*(1/39916800.)) + r4*(1/479001600.)
    p = q0 + r4*q1 + r8*q2
    return i2f(f2i(p) + (f2i(n + MAGIC) << 52))

@nb.njit(fastmath={'contract','nsz','arcp','nnan','ninf'}, error_model='numpy', cache=True)
def vlog(y):
    """log for y>0 normal: split exponent, m in [sqrt.5,sqrt2), atanh series."""
    b = f2i(y)
    b2 = b - 0x3FE6A09E667F3BCD          # sqrt(0.5)
    e = b2 >> 52                         # arithmetic shift
    m = i2f(b - (e << 52))
    ef = i2f(e + 0x4338000000000000) - MAGIC
    s = (m-1.0)/(m+1.0)
    z = s*s
    p = 1.0/21.0
    p = p*z + 1.0/19.0
    p = p*z + 1.0/17.0
    p = p*z + 1.0/15.0
    p = p*z + 1.0/13.0
    p = p*z + 1.0/11.0
    p = p*z + 1.0/9.0
    p = p*z + 1.0/7.0
    p = p*z + 1.0/5.0
    p = p*z + 1.0/3.0
    p = p*z*s + s
    return 2.0*p + ef*0.6931471805599453
