"""A second estimator in numpy alone, for browsers, and as a check of the kernels: short, not quick."""
