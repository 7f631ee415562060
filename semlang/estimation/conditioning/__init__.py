"""Models with latent variables that are conditioned on: classes, mass points, factors of products, effects above.

`conditions` says what is conditioned on, `mixture` is the member of the objective: leaves evaluate what is left by an
engine that exists, `fold` sums over states, level by level.
"""
