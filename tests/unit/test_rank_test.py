"""The Mann-Whitney U test, against what SciPy 1.17 says of the same samples."""

import pytest

from assay.compare.rank_test import p_value


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [
        ([19, 22, 16, 29, 24], [20, 11, 17, 12], 0.1111111111111111),  # method="exact", as all samples as small
        ([1, 2, 3], [4, 5, 6], 0.1),
        ([1, 2, 3], [1, 2, 3], 1.0),
        ([float(each) for each in range(20)], [float(each) for each in range(10, 30)], 5.2125496206037515e-05),
        ([1, 1, 2, 2, 3, 3, 4, 4, 5, 5], [3, 3, 4, 4, 5, 5, 6, 6, 7, 7], 0.015856209681046226),  # ties
        ([5.0] * 20, [5.0] * 20, 1.0),
        ([], [1.0], 1.0),
    ],
)
def test_it_says_what_scipy_says(one: list[float], other: list[float], p: float) -> None:
    assert p_value(one, other) == pytest.approx(p, rel=1e-9)
    assert p_value(other, one) == pytest.approx(p, rel=1e-9)
