"""Learning, off line: the only module that imports scikit-learn, which production does not need to have.

For each service a logistic regression against all others, over hashed features (`features.py`). The same rows always give
the same model, whatever their order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from loop311.requests.suggesting.features import BUCKETS, features
from loop311.requests.suggesting.past import Row

SAID_BY = 3
"""A feature that fewer requests have teaches nothing: it would be somebody's own words."""

TRUST = 20.0
"""In the texts, against the assumption that features mean nothing (the inverse of regularisation)."""


def learn(rows: Sequence[Row]) -> tuple[tuple[str, ...], NDArray[np.float16], NDArray[np.float32]]:
    """Service codes, matrix (buckets by services) and bias. Needs at least two services."""
    counted = sorted(Counter((row.text, row.code) for row in rows).items())
    times = np.array([count for _, count in counted], dtype=float)
    inputs, known = _inputs([text for (text, _), _ in counted], times)
    said_for = np.array([code for (_, code), _ in counted])
    codes = sorted(set(said_for.tolist()))
    matrix = np.zeros((BUCKETS, len(codes)), dtype=np.float16)
    bias = np.zeros(len(codes), dtype=np.float32)
    for place, code in enumerate(codes):
        fitted = LogisticRegression(solver="liblinear", C=TRUST, max_iter=300)
        fitted.fit(inputs, said_for == code, sample_weight=1 + np.log(times))
        matrix[known, place] = fitted.coef_[0]
        bias[place] = fitted.intercept_[0]
    return tuple(codes), matrix, bias


def _inputs(texts: Sequence[str], times: NDArray[np.float64]) -> tuple[csr_matrix, NDArray[np.int64]]:
    """One row for each text, one column for each bucket that enough requests have; and which buckets these are."""
    found = [features(text) for text in texts]
    lengths = np.array([len(each) for each in found])
    columns = np.concatenate(found)
    said_by = np.bincount(columns, weights=np.repeat(times, lengths), minlength=BUCKETS)
    shares = np.repeat(1 / np.sqrt(lengths), lengths)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    whole = csr_matrix((shares, columns, starts), shape=(len(texts), BUCKETS))
    known = np.flatnonzero(said_by >= SAID_BY)
    return whole[:, known], known
