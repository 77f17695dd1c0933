"""Flat or linear: what a series of samples does over time, said by a least-squares line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

#: Up to here a line counts as flat: what it gains over the whole run, as a share of its mean.
FLAT_SHARE = 0.10
#: From here on points lie on a line: the share of their spread that the line explains.
LINEAR_R_SQUARED = 0.98


@dataclass(frozen=True)
class Fit:
    """A line through points: ``slope`` per unit of x, ``r_squared`` how much of their spread it explains."""

    slope: float
    r_squared: float
    mean: float
    span: float

    @property
    def is_flat(self) -> bool:
        """It gains no more than a tenth of its mean over the whole run."""
        return abs(self.slope * self.span) <= FLAT_SHARE * abs(self.mean)

    @property
    def is_linear(self) -> bool:
        """The points lie on it."""
        return self.r_squared >= LINEAR_R_SQUARED


def fit(points: Sequence[tuple[float, float]]) -> Fit:
    """The least-squares line. Raises ValueError for fewer than three points, or for all at one place."""
    if len(points) < 3:
        raise ValueError(f"{len(points)} points are too few for a line")
    mean_x, mean_y = fmean(x for x, _ in points), fmean(y for _, y in points)
    spread_x = sum((x - mean_x) ** 2 for x, _ in points)
    spread_y = sum((y - mean_y) ** 2 for _, y in points)
    if spread_x == 0:
        raise ValueError("all points lie at one place")
    together = sum((x - mean_x) * (y - mean_y) for x, y in points)
    r_squared = 1.0 if spread_y == 0 else together**2 / (spread_x * spread_y)
    return Fit(together / spread_x, r_squared, mean_y, max(x for x, _ in points) - min(x for x, _ in points))
