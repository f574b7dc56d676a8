"""The trend of a figure over time: does it grow, or is the growth within its noise?

Figures of a process are no independent draws: a cache that fills, or a rebuild, lifts several
samples in a row. So samples are averaged over blocks of time first, and the line is laid through
the blocks.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

BLOCKS = 16
"""So many blocks, each of minutes in a run of an hour."""

ERRORS = 3.0
"""A slope of up to three standard errors is noise."""

SMALL_SHARE = 0.01
"""A growth of less than a hundredth in an hour is called flat, however little noise there is."""

HOUR = 3600.0


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """A line through a figure: its mean, and its slope an hour with the standard error."""

    mean: float
    per_hour: float
    error_per_hour: float

    @property
    def is_flat(self) -> bool:
        """Whether the slope is within the noise, or small beside the figure itself."""
        return self.per_hour <= max(ERRORS * self.error_per_hour, SMALL_SHARE * self.mean)

    @classmethod
    def of(cls, seconds: Sequence[float], figures: Sequence[float]) -> "Trend":
        """Lay a line through samples.

        Raises:
            ValueError: there are too few samples.
        """
        if len(seconds) < BLOCKS:
            raise ValueError(f"a trend needs {BLOCKS} samples, and there are {len(seconds)}")
        hours = [block.mean() / HOUR for block in np.array_split(np.asarray(seconds), BLOCKS)]
        means = [block.mean() for block in np.array_split(np.asarray(figures), BLOCKS)]
        (slope, _), covariance = np.polyfit(hours, means, 1, cov=True)
        return cls(
            mean=float(np.mean(figures)),
            per_hour=float(slope),
            error_per_hour=float(np.sqrt(covariance[0, 0])),
        )

    def text(self, unit: str) -> str:
        """Return the trend as a line."""
        verdict = "flat" if self.is_flat else "GROWS"
        return (
            f"{self.mean:8.1f} {unit}, {self.per_hour:+.2f} ± {self.error_per_hour:.2f} an hour: "
            f"{verdict}"
        )
