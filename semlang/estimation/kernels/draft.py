"""First draft of the nested kernel; to be replaced room by room."""
# ruff: noqa
# mypy: ignore-errors
import numba as nb
import numpy as np

from semlang.estimation.kernels.draft_math import vexp, vlog, fmax, fmin
OPT = dict(fastmath=True, error_model='numpy', cache=True, nogil=True)
BERN, POIS, GAUSS, ORD, BINOM = 0, 1, 2, 3, 4     # family codes; all log-concave in nu
# per row: y, f1, f2.  GAUSS: f1=sigma.  ORD: f1=upper, f2=lower threshold (+-1e3 at the ends).  BINOM: f1=trials (data)

# ---------------------------------------------------------------- row densities
@nb.njit(**OPT)
def rows_mode(a, b, base, fam, y, f1, f2, nu, r, w):
    """r = l', w = -l'' for rows a..b, runs of one family vectorised over rows"""
    i = a
    while i < b:
        f = fam[i]; j = i+1
        while j < b and fam[j] == f: j += 1
        if f == 0:
            for t in range(i, j):
                p = 1.0/(1.0+vexp(-nu[t-base])); r[t-base] = y[t]-p; w[t-base] = p*(1.0-p)
        elif f == 1:
            for t in range(i, j):
                e = vexp(nu[t-base]); r[t-base] = y[t]-e; w[t-base] = e
        elif f == 2:
            for t in range(i, j):
                s = 1.0/(f1[t]*f1[t]); r[t-base] = (y[t]-nu[t-base])*s; w[t-base] = s
        elif f == 3:
            for t in range(i, j):
                h = 1.0/(1.0+vexp(nu[t-base]-f1[t])); l = 1.0/(1.0+vexp(nu[t-base]-f2[t]))
                r[t-base] = h+l-1.0; w[t-base] = h*(1.0-h)+l*(1.0-l)
        else:
            for t in range(i, j):
                p = 1.0/(1.0+vexp(-nu[t-base])); r[t-base] = y[t]-f1[t]*p; w[t-base] = f1[t]*p*(1.0-p)
        i = j

@nb.njit(**OPT)
def rows_value(a, b, base, fam, y, f1, f2, wt, nu):
    """sum of wt*l (without data constants) at given nu: the Q=1 value"""
    s = 0.0; i = a
    while i < b:
        f = fam[i]; j = i+1
        while j < b and fam[j] == f: j += 1
        if f == 0:
            for t in range(i, j):
                x = (2.0*y[t]-1.0)*nu[t-base]; s += wt[t]*(fmin(x, 0.0)-vlog(1.0+vexp(-abs(x))))
        elif f == 1:
            for t in range(i, j): s += wt[t]*(y[t]*nu[t-base]-vexp(nu[t-base]))
        elif f == 2:
            for t in range(i, j):
                e = (y[t]-nu[t-base])/f1[t]; s += wt[t]*(-0.5*e*e-vlog(f1[t]))
        elif f == 3:
            for t in range(i, j):
                x = f1[t]-nu[t-base]; z = nu[t-base]-f2[t]
                s += wt[t]*(fmin(x, 0.0)-vlog(1.0+vexp(-abs(x)))+fmin(z, 0.0)-vlog(1.0+vexp(-abs(z)))+vlog(1.0-vexp(f2[t]-f1[t])))
        else:
            for t in range(i, j):
                x = nu[t-base]; s += wt[t]*(y[t]*x-f1[t]*(fmax(x, 0.0)+vlog(1.0+vexp(-abs(x)))))
        i = j
    return s

@nb.njit(**OPT)
def rows_dw(a, b, base, fam, y, f1, f2, nu, r, w, dw):
    """dw/dnu; needs no new exp except for ORD (the mean is y - r)"""
    i = a
    while i < b:
        f = fam[i]; j = i+1
        while j < b and fam[j] == f: j += 1
        if f == 0:
            for t in range(i, j): dw[t-base] = w[t-base]*(1.0-2.0*(y[t]-r[t-base]))
        elif f == 1:
            for t in range(i, j): dw[t-base] = w[t-base]
        elif f == 2:
            for t in range(i, j): dw[t-base] = 0.0
        elif f == 3:
            for t in range(i, j):
                h = 1.0/(1.0+vexp(nu[t-base]-f1[t])); l = 1.0/(1.0+vexp(nu[t-base]-f2[t]))
                dw[t-base] = h*(1.0-h)*(2.0*h-1.0)+l*(1.0-l)*(2.0*l-1.0)
        else:
            for t in range(i, j): dw[t-base] = w[t-base]*(1.0-2.0*(y[t]-r[t-base])/f1[t])
        i = j

@nb.njit(**OPT)
def row_phi(f, y, f1, f2, nu):
    """GAUSS, ORD: l_{nu f1}, dw/df1, l_{nu f2}, dw/df2, l_{f1}   (w = -l_{nu nu})"""
    if f == 2:
        i1 = 1.0/f1; i3 = i1*i1*i1; e = y-nu
        return -2.0*e*i3, -2.0*i3, 0.0, 0.0, e*e*i3-i1
    h = 1.0/(1.0+vexp(nu-f1)); l = 1.0/(1.0+vexp(nu-f2)); fh = h*(1.0-h); fl = l*(1.0-l); ed = vexp(f2-f1)
    return fh, fh*(1.0-2.0*h), fl, fl*(1.0-2.0*l), (1.0-h)+ed/(1.0-ed)

# ---------------------------------------------------------------- small blocked algebra
@nb.njit(**OPT)
def eliminate(q, M, Da, F, L, T, Ai, G):
    """F (M+Da)^2 front: L = chol(F_oo), T = L^-T, Ai = F_oo^-1, G = Ai F_oa"""
    if M == 1:
        s = 1.0/F[q, 0, 0]; L[q, 0, 0] = np.sqrt(F[q, 0, 0]); T[q, 0, 0] = 1.0/L[q, 0, 0]; Ai[q, 0, 0] = s
        for d in range(Da): G[q, 0, d] = s*F[q, 0, 1+d]
        return
    for j in range(M):
        s = F[q, j, j]
        for k in range(j): s -= L[q, j, k]*L[q, j, k]
        s = np.sqrt(s); L[q, j, j] = s
        for i in range(j+1, M):
            t = F[q, i, j]
            for k in range(j): t -= L[q, i, k]*L[q, j, k]
            L[q, i, j] = t/s; L[q, j, i] = 0.0
    for j in range(M):                       # T = L^-T
        for i in range(j): T[q, j, i] = 0.0
        T[q, j, j] = 1.0/L[q, j, j]
        for i in range(j+1, M):
            t = 0.0
            for k in range(j, i): t -= L[q, i, k]*T[q, j, k]
            T[q, j, i] = t/L[q, i, i]
    for i in range(M):
        for j in range(M):
            t = 0.0
            for k in range(M): t += T[q, i, k]*T[q, j, k]
            Ai[q, i, j] = t
    for i in range(M):
        for d in range(Da):
            t = 0.0
            for k in range(M): t += Ai[q, i, k]*F[q, k, M+d]
            G[q, i, d] = t

@nb.njit(**OPT)
def front_adjoint(q, pq, M, Da, L, T, Ai, G, Tb, Gb, W, Fb, w1, w2):
    """Fb (symmetric adjoint of the front) from Tb (incl. log-det), Gb and parent pq's Fb; F_parent += W*S_u"""
    # w1 = Tb' T ; w2 = T w1 ; Lbar = -tril(w2)
    for i in range(M):
        for j in range(M):
            t = 0.0
            for k in range(M): t += Tb[k, i]*T[q, k, j]
            w1[i, j] = t
    for i in range(M):
        for j in range(M):
            t = 0.0
            for k in range(M): t += T[q, i, k]*w1[k, j]
            w2[i, j] = t
    for i in range(M):                       # w1 = Phi(L' Lbar)
        for j in range(M):
            t = 0.0
            if j <= i:
                for k in range(i, M): t -= L[q, k, i]*w2[k, j]
                if i == j: t *= 0.5
            w1[i, j] = t
    for i in range(M):                       # w2 = T w1
        for j in range(M):
            t = 0.0
            for k in range(M): t += T[q, i, k]*w1[k, j]
            w2[i, j] = t
    for i in range(M):                       # w1 = w2 T'
        for j in range(M):
            t = 0.0
            for k in range(M): t += w2[i, k]*T[q, j, k]
            w1[i, j] = t
    for i in range(M):
        for j in range(M): Fb[q, i, j] = 0.5*(w1[i, j]+w1[j, i])
    for d in range(Da):
        for e in range(Da): Fb[q, M+d, M+e] = W*Fb[pq, d, e]
    # w2 = Ai Gb G'
    for i in range(M):
        for d in range(Da):
            t = 0.0
            for k in range(M): t += Ai[q, i, k]*Gb[k, d]
            s = 0.0
            for e in range(Da): s += G[q, i, e]*Fb[q, M+e, M+d]
            Fb[q, i, M+d] = 0.5*t-s; Fb[q, M+d, i] = 0.5*t-s       # Cbar'/2 with Cbar = Gb'Ai - 2 Sb G'
    for i in range(M):
        for j in range(M):
            t = 0.0
            for d in range(Da):
                x = 0.0; z = 0.0
                for k in range(M): x += Ai[q, i, k]*Gb[k, d]; z += Ai[q, j, k]*Gb[k, d]
                t -= 0.5*(x*G[q, j, d]+z*G[q, i, d])
                for e in range(Da): t += G[q, i, d]*Fb[q, M+d, M+e]*G[q, j, e]
            Fb[q, i, j] += t

# ---------------------------------------------------------------- one lowest-level unit at all nodes
@nb.njit(**OPT)
def unit0(a, b, M, D, N0, NU, fam, y, f1, f2, wt, o, A, ND, lw0, P, PA, nuq, lq, acc, h, mx):
    """rows a..b at the NU*N0 nodes ND (D, NU*N0): lq = sum log-dens - |v|^2/2 + lw; P = wt*r, PA = wt*l_f1, h = sum_i P a_own"""
    NQ = N0*NU
    for u in range(NU):
        for q in range(N0): lq[u*N0+q] = lw0[q]
    for d in range(M):
        for q in range(NQ): h[d, q] = 0.0; lq[q] -= 0.5*ND[d, q]*ND[d, q]
    for q in range(NQ): acc[q] = 1.0
    cnt = 0
    for d in range(D):
        s = 0.0
        for q in range(NQ): s = fmax(s, abs(ND[d, q]))
        mx[d] = s
    for i in range(a, b):
        e = o[i]; a0 = A[0, i]
        bd = abs(e)                          # bound of |nu| over the nodes: product trick and unclipped exp are safe below 40
        for d in range(D): bd += abs(A[d, i])*mx[d]
        if bd < 40.0 and fam[i] == 0 and wt[i] == 1.0 and D <= 2:        # fused path
            k = i-a; sg = 2.0*y[i]-1.0; e *= sg; x0 = sg*a0
            if M == 2:
                a1 = A[1, i]; x1 = sg*a1
                for q in range(NQ):
                    pr = 1.0/(1.0+vexp(-(e+x0*ND[0, q]+x1*ND[1, q])))
                    acc[q] *= pr; t = sg*(1.0-pr); P[k, q] = t; h[0, q] += t*a0; h[1, q] += t*a1
            elif D == 2:
                x1 = sg*A[1, i]
                for q in range(NQ):
                    pr = 1.0/(1.0+vexp(-(e+x0*ND[0, q]+x1*ND[1, q])))
                    acc[q] *= pr; t = sg*(1.0-pr); P[k, q] = t; h[0, q] += t*a0
            else:
                for q in range(NQ):
                    pr = 1.0/(1.0+vexp(-(e+x0*ND[0, q])))
                    acc[q] *= pr; t = sg*(1.0-pr); P[k, q] = t; h[0, q] += t*a0
            cnt += 1
            if cnt >= 15 or i == b-1:
                for q in range(NQ):
                    lq[q] += vlog(acc[q]); acc[q] = 1.0
                cnt = 0
            continue
        if D == 1:
            for q in range(NQ): nuq[q] = e+a0*ND[0, q]
        elif D == 2:
            a1 = A[1, i]
            for q in range(NQ): nuq[q] = e+a0*ND[0, q]+a1*ND[1, q]
        else:
            a1 = A[1, i]; a2 = A[2, i]
            for q in range(NQ): nuq[q] = e+a0*ND[0, q]+a1*ND[1, q]+a2*ND[2, q]
            for d in range(3, D):
                a1 = A[d, i]
                for q in range(NQ): nuq[q] += a1*ND[d, q]
        f = fam[i]; c = wt[i]; yy = y[i]; k = i-a
        if f == 0:
            sg = 2.0*yy-1.0
            if c == 1.0 and bd < 40.0:
                for q in range(NQ):
                    pr = 1.0/(1.0+vexp(-sg*nuq[q]))
                    acc[q] *= pr; P[k, q] = sg*(1.0-pr)
                cnt += 1
            else:
                for q in range(NQ):
                    x = sg*nuq[q]; ex = vexp(-abs(x)); t = 1.0/(1.0+ex)
                    lq[q] += c*(fmin(x, 0.0)+vlog(t)); P[k, q] = c*sg*(ex*t if x > 0.0 else t)
        elif f == 1:
            for q in range(NQ):
                ex = vexp(nuq[q]); lq[q] += c*(yy*nuq[q]-ex); P[k, q] = c*(yy-ex)
        elif f == 2:
            i1 = 1.0/f1[i]; ls = vlog(f1[i])
            for q in range(NQ):
                e1 = (yy-nuq[q])*i1; lq[q] -= c*(0.5*e1*e1+ls); P[k, q] = c*e1*i1; PA[k, q] = c*(e1*e1-1.0)*i1
        elif f == 3:
            hi = f1[i]; lo = f2[i]; ed = vexp(lo-hi); ls = vlog(1.0-ed); k2 = ed/(1.0-ed)
            if hi < 999.0: bd += abs(hi)
            if lo > -999.0: bd += abs(lo)
            if c == 1.0 and bd < 40.0:
                for q in range(NQ):
                    ph = 1.0/(1.0+vexp(nuq[q]-hi)); pl = 1.0/(1.0+vexp(lo-nuq[q]))
                    acc[q] *= ph*pl; P[k, q] = ph-pl; PA[k, q] = 1.0-ph+k2
                cnt += 2
                for q in range(NQ): lq[q] += ls
            else:
                for q in range(NQ):
                    x = hi-nuq[q]; ex = vexp(-abs(x)); t = 1.0/(1.0+ex); ph = t if x > 0.0 else ex*t; qh = ex*t if x > 0.0 else t
                    s = fmin(x, 0.0)+vlog(t)
                    x = nuq[q]-lo; ex = vexp(-abs(x)); t = 1.0/(1.0+ex); pl = t if x > 0.0 else ex*t
                    lq[q] += c*(s+fmin(x, 0.0)+vlog(t)+ls); P[k, q] = c*(ph-pl); PA[k, q] = c*(qh+k2)
        else:
            n = f1[i]
            for q in range(NQ):
                x = nuq[q]; ex = vexp(-abs(x)); s = 1.0/(1.0+ex)
                pr = s if x > 0.0 else ex*s
                lq[q] += c*(yy*x-n*(fmax(x, 0.0)-vlog(s))); P[k, q] = c*(yy-n*pr)
        if cnt >= 15 or i == b-1:
            for q in range(NQ):
                lq[q] += vlog(acc[q]); acc[q] = 1.0
            cnt = 0
        if M == 1:
            for q in range(NQ): h[0, q] += P[k, q]*a0
        elif M == 2:
            a1 = A[1, i]
            for q in range(NQ):
                t = P[k, q]; h[0, q] += t*a0; h[1, q] += t*a1
        else:
            for d in range(M):
                a1 = A[d, i]
                for q in range(NQ): h[d, q] += P[k, q]*a1

@nb.njit(**OPT)
def contract(P, p, NU, N, nr, i0, E):
    """E[x,i0+k] = sum_z p[x,z] P[k,x,z]; four rows at a time (hides the latency of the reductions)"""
    for x in range(NU):
        a = x*N; b = a+N; k = 0
        while k+4 <= nr:
            s0 = 0.0; s1 = 0.0; s2 = 0.0; s3 = 0.0
            for z in range(a, b):
                t = p[z]; s0 += t*P[k, z]; s1 += t*P[k+1, z]; s2 += t*P[k+2, z]; s3 += t*P[k+3, z]
            E[x, i0+k] = s0; E[x, i0+k+1] = s1; E[x, i0+k+2] = s2; E[x, i0+k+3] = s3; k += 4
        while k < nr:
            s0 = 0.0
            for z in range(a, b): s0 += p[z]*P[k, z]
            E[x, i0+k] = s0; k += 1

@nb.njit(**OPT)
def contract2(P, p, v, NU, N, nr, i0, E, Ev):
    """contract for p and v together"""
    for x in range(NU):
        a = x*N; b = a+N; k = 0
        while k+4 <= nr:
            s0 = 0.0; s1 = 0.0; s2 = 0.0; s3 = 0.0; t0 = 0.0; t1 = 0.0; t2 = 0.0; t3 = 0.0
            for z in range(a, b):
                t = p[z]; u = v[z]; x0 = P[k, z]; x1 = P[k+1, z]; x2 = P[k+2, z]; x3 = P[k+3, z]
                s0 += t*x0; t0 += u*x0; s1 += t*x1; t1 += u*x1; s2 += t*x2; t2 += u*x2; s3 += t*x3; t3 += u*x3
            E[x, i0+k] = s0; E[x, i0+k+1] = s1; E[x, i0+k+2] = s2; E[x, i0+k+3] = s3
            Ev[0, x, i0+k] = t0; Ev[0, x, i0+k+1] = t1; Ev[0, x, i0+k+2] = t2; Ev[0, x, i0+k+3] = t3; k += 4
        while k < nr:
            s0 = 0.0; t0 = 0.0
            for z in range(a, b):
                x0 = P[k, z]; s0 += p[z]*x0; t0 += v[z]*x0
            E[x, i0+k] = s0; Ev[0, x, i0+k] = t0; k += 1

@nb.njit(**OPT)
def lse(NU, N, lq, out):
    """lq (NU,N) -> conditional probabilities in place, out[u] = log sum exp"""
    for u in range(NU):
        m = -1e300; c = u*N
        for q in range(N): m = max(m, lq[c+q])
        for q in range(N): lq[c+q] -= m
        out[u] = m
    for q in range(NU*N): lq[q] = vexp(lq[q])
    for u in range(NU):
        c = u*N; s = 0.0
        for q in range(N): s += lq[c+q]
        out[u] += np.log(s); s = 1.0/s
        for q in range(N): lq[c+q] *= s

# ---------------------------------------------------------------- the kernel
@nb.njit(**OPT)
def nested(t0, t1, K, Ms, Ns, Zq, Lwq, ptr, poff, par, uoff, uw, V, voff, fam, y, f1, f2, wt, o, A, tol,
           val, ob, Ab, fb):
    """top clusters t0..t1.  Ms[l] dims, Ns[l] nodes of level l; Zq[l,:Ms,:Ns] rule, Lwq[l,:Ns] = log w + |z|^2/2.
    ptr[poff[l]+u] first child of unit u of level l (level 0: first row); par[uoff[l]+u] parent; uw unit weights (same index).
    V modes (warm start; updated in place), at voff[l]+u*Ms[l].  Out: val per top cluster, ob (N) offset adjoint, Ab (D,N), fb (2,N).
    Returns the largest number of Newton steps used."""
    D = 0
    for l in range(K): D += Ms[l]
    Dl = np.zeros(K+1, np.int64)
    for l in range(K-1, -1, -1): Dl[l] = Dl[l+1]+Ms[l]
    NQ = np.ones(K+1, np.int64)                      # table size of level l: product of Ns[k], k>=l
    for l in range(K-1, -1, -1): NQ[l] = NQ[l+1]*Ns[l]
    Mx = 1
    for l in range(K): Mx = max(Mx, Ms[l])
    fi = np.zeros(K, np.int64); la = np.zeros(K, np.int64); lb = np.zeros(K, np.int64)
    U = 0; n0 = 0; nmax = 0; Up = 0
    for c in range(t0, t1):
        fi[K-1] = c; la[K-1] = c+1; u = 1; up = 1
        for l in range(K-1, 0, -1):
            fi[l-1] = ptr[poff[l]+fi[l]]; la[l-1] = ptr[poff[l]+la[l]]; up = u; u += la[l-1]-fi[l-1]
        U = max(U, u); Up = max(Up, up); nmax = max(nmax, ptr[poff[0]+la[0]]-ptr[poff[0]+fi[0]])
        for q in range(fi[0], la[0]): n0 = max(n0, ptr[poff[0]+q+1]-ptr[poff[0]+q])
    F = np.zeros((U, D, D)); g = np.zeros((U, D)); L = np.zeros((U, Mx, Mx)); T = np.zeros((U, Mx, Mx)); Ai = np.zeros((U, Mx, Mx))
    G = np.zeros((U, Mx, max(D, 1))); mp = np.zeros((U, D)); st = np.zeros((U, D)); sd = np.zeros((U, D)); Om = np.zeros(U)
    Fb = np.zeros((U, D, D)); br = np.zeros((U, D)); kp = np.zeros((U, D))
    nu = np.zeros(nmax); r = np.zeros(nmax); w = np.zeros(nmax); e = np.zeros(nmax)
    n1 = NQ[1]; q0 = NQ[0]; M0 = Ms[0]; N0 = Ns[0]
    NP = np.zeros((Up, D, n1)); Fq = np.zeros((Up, n1)); Dq = np.zeros((Up, D, n1)); Pi = np.zeros((Up, n1)); one = np.ones(1)
    ND = np.zeros((D, q0)); lq = np.zeros(q0); acc = np.zeros(q0); h = np.zeros((Mx, max(q0, n1))); nuq = np.zeros(q0)
    P = np.zeros((n0, q0)); PA = np.zeros((n0, q0)); msg = np.zeros(n1)
    Er = np.zeros((n1, nmax)); Erv = np.zeros((M0, n1, nmax)); Ea = np.zeros((n1, nmax)); tk = np.zeros(nmax); ad = np.zeros(nmax)
    mx = np.zeros(D); tau0 = np.zeros((U, M0, n1)); Tb0 = np.zeros((U, M0*M0, n1))
    tau = np.zeros((Mx, n1)); tb = np.zeros(Mx); Tb = np.zeros((Mx, Mx)); Gb = np.zeros((Mx, max(D, 1))); w1 = np.zeros((Mx, Mx)); w2 = np.zeros((Mx, Mx))
    worst = 0; aux = False
    for i in range(fam.size):
        if fam[i] == 2 or fam[i] == 3:
            aux = True; break
    for c in range(t0, t1):
        fi[K-1] = c; la[K-1] = c+1; lb[K-1] = 0; u = 1
        for l in range(K-1, 0, -1):
            fi[l-1] = ptr[poff[l]+fi[l]]; la[l-1] = ptr[poff[l]+la[l]]; lb[l-1] = u; u += la[l-1]-fi[l-1]
        nun = u; r0 = ptr[poff[0]+fi[0]]; r1 = ptr[poff[0]+la[0]]
        for l in range(K-1, -1, -1):                 # cumulative unit weights
            for j in range(fi[l], la[l]):
                x = uw[uoff[l]+j]
                if l < K-1: x *= Om[lb[l+1]+par[uoff[l]+j]-fi[l+1]]
                Om[lb[l]+j-fi[l]] = x
        # ================= A. joint mode, multifrontal Newton
        pdec = 1e300; sl0 = 0.0
        for it in range(200):
            for l in range(K-1, -1, -1):             # path modes
                for j in range(fi[l], la[l]):
                    q = lb[l]+j-fi[l]
                    for d in range(Ms[l]): mp[q, d] = V[voff[l]+j*Ms[l]+d]
                    if l < K-1:
                        pq = lb[l+1]+par[uoff[l]+j]-fi[l+1]
                        for d in range(Dl[l+1]): mp[q, Ms[l]+d] = mp[pq, d]
            for q in range(lb[0] if K > 1 else 0):
                for i in range(D):
                    g[q, i] = 0.0
                    for j in range(D): F[q, i, j] = 0.0
            dec = 0.0
            for l in range(K):
                M = Ms[l]; Da = Dl[l+1]
                for j in range(fi[l], la[l]):
                    q = lb[l]+j-fi[l]
                    if l == 0:
                        a = ptr[poff[0]+j]; b = ptr[poff[0]+j+1]
                        for i in range(a, b): nu[i-r0] = o[i]
                        for d in range(D):
                            x = mp[q, d]
                            for i in range(a, b): nu[i-r0] += A[d, i]*x
                        rows_mode(a, b, r0, fam, y, f1, f2, nu, r, w)
                        if D == 2:
                            s = 0.0; x = 0.0; s0 = 0.0; s1 = 0.0; s2 = 0.0
                            for i in range(a, b):
                                t = wt[i]*r[i-r0]; z = wt[i]*w[i-r0]; x0 = A[0, i]; x1 = A[1, i]
                                s += t*x0; x += t*x1; s0 += z*x0*x0; s1 += z*x0*x1; s2 += z*x1*x1
                            g[q, 0] = s; g[q, 1] = x; F[q, 0, 0] = s0; F[q, 0, 1] = s1; F[q, 1, 0] = s1; F[q, 1, 1] = s2
                        for d in range(D if D != 2 else 0):
                            s = 0.0
                            for i in range(a, b):
                                s += wt[i]*r[i-r0]*A[d, i]; e[i-r0] = wt[i]*w[i-r0]*A[d, i]
                            g[q, d] = s
                            for k in range(d+1):
                                s = 0.0
                                for i in range(a, b): s += e[i-r0]*A[k, i]
                                F[q, d, k] = s; F[q, k, d] = s
                    for d in range(M):
                        F[q, d, d] += 1.0; g[q, d] -= mp[q, d]
                    eliminate(q, M, Da, F, L, T, Ai, G)
                    for d in range(M):               # Ai g
                        s = 0.0
                        for k in range(M): s += Ai[q, d, k]*g[q, k]
                        st[q, d] = s; dec += Om[q]*s*g[q, d]
                    if l < K-1:
                        pq = lb[l+1]+par[uoff[l]+j]-fi[l+1]; W = uw[uoff[l]+j]
                        for d in range(Da):
                            s = g[q, M+d]
                            for k in range(M): s -= G[q, k, d]*g[q, k]
                            g[pq, d] += W*s
                            for k in range(Da):
                                s = F[q, M+d, M+k]
                                for m in range(M): s -= F[q, M+d, m]*G[q, m, k]
                                F[pq, d, k] += W*s
            if it > 0 and dec > 1e-8:                # overshoot? slope g'd at the new point, from the reduced gradient
                sl1 = 0.0
                for l in range(K):
                    for j in range(fi[l], la[l]):
                        q = lb[l]+j-fi[l]
                        for d in range(Ms[l]):
                            s = sd[q, d]
                            for k in range(Dl[l+1]): s += G[q, d, k]*sd[q, Ms[l]+k]
                            sl1 += Om[q]*g[q, d]*s
                if sl1 < -0.5*sl0:                   # secant step back along d (f is concave along d for log-concave families)
                    x = min(max(sl0/(sl0-sl1), 0.1), 0.67); sl0 *= x; worst = max(worst, it+1)
                    for l in range(K):
                        for j in range(fi[l], la[l]):
                            q = lb[l]+j-fi[l]
                            for d in range(Ms[l]): V[voff[l]+j*Ms[l]+d] -= (1.0-x)*sd[q, d]
                            for d in range(Dl[l]): sd[q, d] *= x
                    continue
            if dec < tol or (dec < 1e-14 and dec > 0.25*pdec): break
            pdec = dec; worst = max(worst, it+1); x = 0.0
            for l in range(K-1, -1, -1):
                M = Ms[l]; Da = Dl[l+1]
                for j in range(fi[l], la[l]):
                    q = lb[l]+j-fi[l]
                    if l < K-1:
                        pq = lb[l+1]+par[uoff[l]+j]-fi[l+1]
                        for d in range(Da): sd[q, M+d] = sd[pq, d]
                    for d in range(M):
                        s = st[q, d]
                        for k in range(Da): s -= G[q, d, k]*sd[q, M+k]
                        sd[q, d] = s; x = max(x, abs(s))
            x = 1.0 if x <= 3.0 else 3.0/x           # the whole step is scaled: stays the Newton direction
            sl0 = x*dec
            for l in range(K):
                for j in range(fi[l], la[l]):
                    q = lb[l]+j-fi[l]
                    if x < 1.0:
                        for d in range(Dl[l]): sd[q, d] *= x
                    for d in range(Ms[l]): V[voff[l]+j*Ms[l]+d] += sd[q, d]
        # ================= B. node tables of upper levels, top down
        for l in range(K-1, 0, -1):
            M = Ms[l]; Da = Dl[l+1]; N = Ns[l]
            for j in range(fi[l], la[l]):
                q = lb[l]+j-fi[l]; pq = 0
                if l < K-1: pq = lb[l+1]+par[uoff[l]+j]-fi[l+1]
                for x in range(NQ[l+1]):
                    for k in range(Da):
                        for z in range(N): NP[q, M+k, x*N+z] = NP[pq, k, x]
                    for k in range(M):
                        s = mp[q, k]
                        for d in range(Da): s -= G[q, k, d]*(NP[pq, d, x]-mp[q, M+d])
                        for z in range(N):
                            t = s
                            for d in range(k, M): t += T[q, k, d]*Zq[l, d, z]
                            NP[q, k, x*N+z] = t
                    for z in range(N): Fq[q, x*N+z] = Lwq[l, z]
                for k in range(M):
                    for x in range(NQ[l]): Fq[q, x] -= 0.5*NP[q, k, x]*NP[q, k, x]
                for k in range(Dl[l]):
                    for x in range(NQ[l]): Dq[q, k, x] = 0.0
        # ================= C. lowest level
        Da = Dl[1]; top = 0.0
        for j in range(fi[0], la[0]):
            q = lb[0]+j-fi[0]; pq = 0; a = ptr[poff[0]+j]; b = ptr[poff[0]+j+1]; W = uw[uoff[0]+j]
            if K > 1: pq = lb[1]+par[uoff[0]+j]-fi[1]
            for x in range(n1):
                for k in range(Da):
                    for z in range(N0): ND[M0+k, x*N0+z] = NP[pq, k, x]
                for k in range(M0):
                    s = mp[q, k]
                    for d in range(Da): s -= G[q, k, d]*(NP[pq, d, x]-mp[q, M0+d])
                    if M0 == 1:
                        t = T[q, 0, 0]
                        for z in range(N0): ND[0, x*N0+z] = s+t*Zq[0, 0, z]
                        continue
                    for z in range(N0): ND[k, x*N0+z] = s
                    for d in range(k, M0):
                        t = T[q, k, d]
                        for z in range(N0): ND[k, x*N0+z] += t*Zq[0, d, z]
            ld = 0.0
            for k in range(M0): ld -= np.log(L[q, k, k])
            if q0 == 1:
                s = Lwq[0, 0]+rows_value(a, b, r0, fam, y, f1, f2, wt, nu)
                for k in range(M0):
                    s -= 0.5*ND[k, 0]*ND[k, 0]; tau0[q, k, 0] = g[q, k]   # zero at the mode
                    for d in range(M0): Tb0[q, k*M0+d, 0] = 0.0
                msg[0] = s
                for i in range(a, b):
                    x = wt[i]*r[i-r0]; Er[0, i-r0] = x
                    for k in range(M0): Erv[k, 0, i-r0] = x*ND[k, 0]
                if aux:
                    for i in range(a, b):
                        if fam[i] == 2 or fam[i] == 3:
                            Ea[0, i-r0] = wt[i]*row_phi(fam[i], y[i], f1[i], f2[i], nu[i-r0])[4]
            else:
                unit0(a, b, M0, D, N0, n1, fam, y, f1, f2, wt, o, A, ND, Lwq[0], P, PA, nuq, lq, acc, h, mx)
                lse(n1, N0, lq, msg)
                for k in range(M0):
                    for x in range(q0): h[k, x] = lq[x]*(h[k, x]-ND[k, x])        # p * tot
                    for x in range(n1):
                        s = 0.0
                        for z in range(N0): s += h[k, x*N0+z]
                        tau0[q, k, x] = s
                        for d in range(k, M0):
                            s = 0.0
                            for z in range(N0): s += h[k, x*N0+z]*Zq[0, d, z]
                            Tb0[q, k*M0+d, x] = s
                for k in range(M0):
                    for x in range(q0): nuq[x] = lq[x]*ND[k, x]
                    if k == 0: contract2(P, lq, nuq, n1, N0, b-a, a-r0, Er, Erv)
                    else: contract(P, nuq, n1, N0, b-a, a-r0, Erv[k])
                if aux: contract(PA, lq, n1, N0, b-a, a-r0, Ea)   # garbage rows for families without f1 are never read
            if K == 1: top = W*(msg[0]+ld)
            else:
                for x in range(n1): Fq[pq, x] += W*(msg[x]+ld)
                for d in range(Da):
                    for x in range(n1):
                        s = 0.0
                        for i in range(a, b): s += A[M0+d, i]*Er[x, i-r0]
                        Dq[pq, d, x] += W*s
                    for k in range(M0):
                        t = W*G[q, k, d]
                        for x in range(n1): Dq[pq, d, x] -= t*tau0[q, k, x]
        # ================= D. upper levels, bottom up: p in Fq, (tot_own, D_anc) in Dq
        for l in range(1, K):
            M = Ms[l]; Da = Dl[l+1]; N = Ns[l]; nu_ = NQ[l+1]
            for j in range(fi[l], la[l]):
                q = lb[l]+j-fi[l]; W = uw[uoff[l]+j]; ld = 0.0
                for k in range(M):
                    ld -= np.log(L[q, k, k])
                    for x in range(NQ[l]): Dq[q, k, x] -= NP[q, k, x]
                lse(nu_, N, Fq[q], msg)
                if l == K-1: top = W*(msg[0]+ld)
                else:
                    pq = lb[l+1]+par[uoff[l]+j]-fi[l+1]
                    for x in range(nu_): Fq[pq, x] += W*(msg[x]+ld)
                    for d in range(Da):
                        for x in range(nu_):
                            s = 0.0
                            for z in range(x*N, x*N+N):
                                t = Dq[q, M+d, z]
                                for k in range(M): t -= G[q, k, d]*Dq[q, k, z]
                                s += Fq[q, z]*t
                            Dq[pq, d, x] += W*s
        val[c] = top
        # ================= E+F. top down: posterior weights, adjoints of T, G, m, front
        for l in range(K-1, -1, -1):
            M = Ms[l]; Da = Dl[l+1]; N = Ns[l]; nu_ = NQ[l+1]
            for j in range(fi[l], la[l]):
                q = lb[l]+j-fi[l]; W = uw[uoff[l]+j]; pq = 0; pp = one
                if l < K-1:
                    pq = lb[l+1]+par[uoff[l]+j]-fi[l+1]; pp = Pi[pq]
                for k in range(M):
                    tb[k] = 0.0
                    for d in range(M): Tb[k, d] = 0.0
                    for d in range(Da): Gb[k, d] = 0.0
                if l == 0:
                    for k in range(M):
                        for x in range(nu_): tau[k, x] = W*pp[x]*tau0[q, k, x]
                        for d in range(k, M):
                            s = 0.0
                            for x in range(nu_): s += pp[x]*Tb0[q, k*M+d, x]
                            Tb[k, d] = W*s
                else:
                    for x in range(nu_):
                        for z in range(x*N, x*N+N): Pi[q, z] = W*pp[x]*Fq[q, z]
                        for k in range(M):
                            s = 0.0
                            for z in range(N):
                                t = Pi[q, x*N+z]*Dq[q, k, x*N+z]; s += t
                                for d in range(k, M): Tb[k, d] += t*Zq[l, d, z]
                            tau[k, x] = s
                for k in range(M):
                    Tb[k, k] += Om[q]*L[q, k, k]
                    for x in range(nu_): tb[k] += tau[k, x]
                    for d in range(Da):
                        s = 0.0
                        for x in range(nu_): s -= tau[k, x]*(NP[pq, d, x]-mp[q, M+d])
                        Gb[k, d] = s
                front_adjoint(q, pq, M, Da, L, T, Ai, G, Tb, Gb, W, Fb, w1, w2)
                for k in range(M): br[q, k] = tb[k]
                for d in range(Da):
                    s = 0.0
                    for k in range(M): s += G[q, k, d]*tb[k]
                    br[q, M+d] = s
        # rows: adjoint of w, mode adjoint b
        for j in range(fi[0], la[0]):
            q = lb[0]+j-fi[0]; a = ptr[poff[0]+j]; b = ptr[poff[0]+j+1]
            rows_dw(a, b, r0, fam, y, f1, f2, nu, r, w, ad)
            if D == 2 and not aux:               # the general branch below, fused
                x = Fb[q, 0, 0]; z = 2.0*Fb[q, 0, 1]; t = Fb[q, 1, 1]; s0 = 0.0; s1 = 0.0
                for i in range(a, b):
                    x0 = A[0, i]; x1 = A[1, i]; s = (x*x0*x0+z*x0*x1+t*x1*x1)*wt[i]*ad[i-r0]
                    e[i-r0] = s; s0 += s*x0; s1 += s*x1
                br[q, 0] += s0; br[q, 1] += s1
                continue
            for i in range(a, b): e[i-r0] = 0.0
            for d in range(D):
                for k in range(d+1):
                    x = Fb[q, d, k] if k == d else 2.0*Fb[q, d, k]
                    for i in range(a, b): e[i-r0] += x*A[d, i]*A[k, i]
            if aux:
                for i in range(a, b):
                    fb[0, i] = 0.0; fb[1, i] = 0.0
                    if fam[i] == 2 or fam[i] == 3:
                        t3 = row_phi(fam[i], y[i], f1[i], f2[i], nu[i-r0]); x = wt[i]*e[i-r0]
                        fb[0, i] = x*t3[1]; fb[1, i] = x*t3[3]
            for i in range(a, b): e[i-r0] *= wt[i]*ad[i-r0]     # adjoint of nu_i through w
            for d in range(D):
                s = 0.0
                for i in range(a, b): s += e[i-r0]*A[d, i]
                br[q, d] += s
        for l in range(K):                           # k = H^-1 b
            M = Ms[l]; Da = Dl[l+1]
            for j in range(fi[l], la[l]):
                q = lb[l]+j-fi[l]
                if l < K-1:
                    pq = lb[l+1]+par[uoff[l]+j]-fi[l+1]
                    for d in range(Da):
                        s = br[q, M+d]
                        for k in range(M): s -= G[q, k, d]*br[q, k]
                        br[pq, d] += s
        for l in range(K-1, -1, -1):
            M = Ms[l]; Da = Dl[l+1]
            for j in range(fi[l], la[l]):
                q = lb[l]+j-fi[l]
                if l < K-1:
                    pq = lb[l+1]+par[uoff[l]+j]-fi[l+1]
                    for d in range(Da): kp[q, M+d] = kp[pq, d]
                for k in range(M):
                    val[c] += st[q, k]*br[q, k]      # g'H^-1 b: first-order effect of the last Newton step, not taken
                    s = 0.0
                    for d in range(M): s += Ai[q, k, d]*br[q, d]
                    s /= Om[q]
                    for d in range(Da): s -= G[q, k, d]*kp[q, M+d]
                    kp[q, k] = s
        for j in range(fi[0], la[0]):                # row adjoints
            q = lb[0]+j-fi[0]; a = ptr[poff[0]+j]; b = ptr[poff[0]+j+1]; W = uw[uoff[0]+j]; pq = 0; pp = one; om = Om[q]
            if K > 1:
                pq = lb[1]+par[uoff[0]+j]-fi[1]; pp = Pi[pq]
            for x in range(n1): msg[x] = W*pp[x]
            if D == 2 and not aux:               # fused
                x = Fb[q, 0, 0]; z = Fb[q, 0, 1]; t = Fb[q, 1, 1]; k0 = kp[q, 0]; k1 = kp[q, 1]; m0 = mp[q, 0]; m1 = mp[q, 1]
                for i in range(a, b):
                    x0 = A[0, i]; x1 = A[1, i]; c2 = 2.0*wt[i]*w[i-r0]; c1 = om*wt[i]*r[i-r0]
                    s = e[i-r0]-0.5*om*c2*(x0*k0+x1*k1)
                    ob[i] = s; Ab[0, i] = s*m0+c1*k0+c2*(x*x0+z*x1); Ab[1, i] = s*m1+c1*k1+c2*(z*x0+t*x1)
            else:
                for i in range(a, b): tk[i-r0] = 0.0
                for d in range(D):
                    x = kp[q, d]
                    for i in range(a, b): tk[i-r0] += A[d, i]*x
                for i in range(a, b):
                    s = e[i-r0]-om*wt[i]*w[i-r0]*tk[i-r0]; ad[i-r0] = s; ob[i] = s
                for d in range(D):
                    x = mp[q, d]; z = om*kp[q, d]
                    for i in range(a, b): Ab[d, i] = ad[i-r0]*x+z*wt[i]*r[i-r0]
                    for k in range(D):
                        t = 2.0*Fb[q, d, k]
                        for i in range(a, b): Ab[d, i] += t*wt[i]*w[i-r0]*A[k, i]
            if aux:
                for i in range(a, b):
                    if fam[i] == 2 or fam[i] == 3:
                        t = 0.0; s = 0.0
                        for x in range(n1): t += msg[x]*Ea[x, i-r0]; s += msg[x]*Er[x, i-r0]
                        t3 = row_phi(fam[i], y[i], f1[i], f2[i], nu[i-r0]); z = om*wt[i]*tk[i-r0]
                        fb[0, i] += t+z*t3[0]; fb[1, i] += z*t3[2]
                        if fam[i] == 3: fb[1, i] -= s+t         # l_lo = -l_nu - l_hi
            for x in range(n1):                  # direct part: posterior expectations
                t = msg[x]
                if D == 2 and M0 == 1:
                    z = t*NP[pq, 0, x]
                    for i in range(a, b):
                        s = Er[x, i-r0]; ob[i] += t*s; Ab[0, i] += t*Erv[0, x, i-r0]; Ab[1, i] += z*s
                    continue
                for i in range(a, b): ob[i] += t*Er[x, i-r0]
                for d in range(M0):
                    for i in range(a, b): Ab[d, i] += t*Erv[d, x, i-r0]
                for d in range(M0, D):
                    z = t*NP[pq, d-M0, x]
                    for i in range(a, b): Ab[d, i] += z*Er[x, i-r0]
    return worst

