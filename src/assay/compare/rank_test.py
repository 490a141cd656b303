"""The Mann-Whitney U test, two-sided: whether two samples are of one kind, whatever their distribution.

Reference: Mann and Whitney 1947; ties and the correction for continuity as in SciPy's `mannwhitneyu`. SciPy itself is
forty times the size of Assay.
"""

import math
from collections import Counter
from collections.abc import Sequence

MOST_EXACT = 16  # values of both samples together, up to which each arrangement of them is counted


def p_value(one: Sequence[float], other: Sequence[float]) -> float:
    """The chance to see ranks as unequal as these where both samples are of one kind; 1.0 where one is empty."""
    if not one or not other:
        return 1.0
    ranks = _doubled_ranks([*one, *other])
    mine = sum(ranks[: len(one)])
    if len(ranks) <= MOST_EXACT:
        return _exact(ranks, len(one), mine)
    return _normal(ranks, len(one), mine)


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the middle rank of each, which is whole where values are equal, too."""
    counts, before = Counter(values), 0
    middle = {}
    for value in sorted(counts):
        middle[value] = 2 * before + counts[value] + 1
        before += counts[value]
    return [middle[value] for value in values]


def _exact(ranks: Sequence[int], size: int, mine: int) -> float:
    """Over all choices of `size` of the values: the share that is at least as far from the middle."""
    ways: list[Counter[int]] = [Counter({0: 1}), *(Counter() for _ in range(size))]
    for value in ranks:
        for taken in range(size, 0, -1):
            for total, number in ways[taken - 1].items():
                ways[taken][total + value] += number
    centre = size * sum(ranks) / len(ranks)
    far = sum(number for total, number in ways[size].items() if abs(total - centre) >= abs(mine - centre) - 1e-9)
    return far / ways[size].total()


def _normal(ranks: Sequence[int], size: int, mine: int) -> float:
    total, rest = len(ranks), len(ranks) - size
    ties = sum(count**3 - count for count in Counter(ranks).values())
    variance = size * rest / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    distance = abs(mine / 2 - size * (total + 1) / 2) - 0.5
    return min(1.0, math.erfc(max(distance, 0.0) / math.sqrt(2 * variance)))
