"""Two runs of one app: which guarantees drifted. Pure, but for the reading of files in `baseline` and `sources`."""

from assay.compare.comparing import compare
from assay.compare.comparison import Comparison

__all__ = ["Comparison", "compare"]
