"""Covariates centred and scaled inside the estimation, and the exact way back to the parameters of the table.

With x = m + s x', a term b x of a linear predictor is b' x' where b' = s b, and its intercept (or each of its
thresholds) takes b m. In a product each factor is centred, and x and z take what x z leaves behind. A random slope u x
with an intercept u0 beside it is u' x' where u' = s u, and u0' = u0 + m u: their covariance matrix changes by
Psi = T Psi' T'. A response y = o + y' gives o to its intercept. All of that is linear in the parameters,

    theta = A theta' + b,

but for products of two: a latent variable without an intercept that is regressed on x leaves m times its slope, times
its loadings, to the intercepts of the responses that it acts on. In either case
the log-likelihood is the same number. Where nothing free takes what a covariate's mean leaves behind (no intercept,
a fixed or shared one, one in a constraint), the covariate is scaled alone, or left as it is.
"""

from semlang.estimation.frame.build import frame
from semlang.estimation.frame.columns import FramedColumns
from semlang.estimation.frame.framed import Frame, Framed

__all__ = ["Frame", "Framed", "FramedColumns", "frame"]
