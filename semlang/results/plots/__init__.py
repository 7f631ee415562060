"""Plots of a fit, one a module; matplotlib is imported when one is drawn."""
