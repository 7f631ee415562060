"""How drawn durations are seen: until the event, or until they are censored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ended"]

Floats = NDArray[np.float64]


def ended(times: Floats, observed: Floats, event: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return durations as they are seen, and whether the event was seen.

    A duration that is censored in the data is seen until then. The time of censoring of one that ended with the event
    is not known; it is drawn from the Kaplan-Meier estimate of its distribution, given that it is later.

    Parameters
    ----------
    times : (n,) floats
        Of the events, drawn.
    observed, event : (n,) floats
        Of the data.
    rng : numpy Generator

    References
    ----------
    Davison and Hinkley (1997), Bootstrap Methods and their Application, section 3.5 (the conditional bootstrap).
    """
    known = ~np.isnan(observed) & ~np.isnan(event)
    out, seen = times.copy(), np.where(np.isnan(event), np.nan, 1.0)
    limits = np.full(times.size, np.inf)
    limits[known & (event == 0.0)] = observed[known & (event == 0.0)]
    censorings = np.unique(limits[np.isfinite(limits)])
    if censorings.size:
        at_risk = known.sum() - np.searchsorted(np.sort(observed[known]), censorings)
        lost = np.searchsorted(np.sort(limits[np.isfinite(limits)]), censorings, side="right")
        survival = np.cumprod(1.0 - np.diff(lost, prepend=0) / at_risk)
        events = np.flatnonzero(known & (event == 1.0))
        before = np.searchsorted(censorings, observed[events], side="right")
        level = np.append(1.0, survival)[before] * rng.random(events.size)
        place = np.searchsorted(-survival, -level)
        limits[events] = np.append(censorings, np.inf)[np.minimum(place, censorings.size)]
    late = known & (out > limits)
    out[late], seen[late] = limits[late], 0.0
    return out, seen
