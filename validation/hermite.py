"""Hermite coefficients of sampled functions, and the test error they give.

A row of the first layer and the teacher, or two rows, see jointly normal numbers.
Averages of products of functions of them are Mehler's series in their correlation,
whose terms are products of Hermite coefficients: no test data are needed.
"""

import numpy as np

from detequiv.validation.model import FirstLayer, FloatArray, Function, Model

__all__ = ["ORDER", "hermite_coefficients", "population_error"]

# Highest order of the series; their terms fall like the correlation's powers.
ORDER = 64
# Nodes of the averages over one normal number, and how far they reach.
NODES, REACH = 4096, 12.0
# Relative size of what the series may leave out.
NEGLIGIBLE = 1e-5


def hermite_coefficients(
    function: Function, scales: FloatArray, count: int
) -> FloatArray:
    """Coefficients ``E[f(r s) He_k(s)] / sqrt(k!)`` for k < count.

    Parameters
    ----------
    function : callable
        f, elementwise.
    scales : ndarray, shape (m,)
        The r.
    count : int
        At least 2.

    Returns
    -------
    ndarray, shape (m, count)

    Examples
    --------
    >>> hermite_coefficients(lambda s: s**2, np.array([1.0, 2.0]), 3).round(6) + 0.0
    array([[1.      , 0.      , 1.414214],
           [4.      , 0.      , 5.656854]])
    """
    s, weight = _rule()
    table = np.empty((count, NODES))
    table[0] = weight
    table[1] = s * table[0]
    for k in range(1, count - 1):
        table[k + 1] = (s * table[k] - np.sqrt(k) * table[k - 1]) / np.sqrt(k + 1)
    coefficients: FloatArray = function(np.multiply.outer(scales, s)) @ table.T
    return coefficients


def population_error(model: Model, layer: FirstLayer, readout: FloatArray) -> float:
    """Mean of ``(g(<w*, x>) - f(x))^2`` over all x, by Mehler's series.

    The rows and the readout of ``f(x) = a . phi(x) / sqrt(p)`` are given; what is left
    is an average over normal numbers in pairs.

    Parameters
    ----------
    model : Model
        Activation and target.
    layer : FirstLayer
        Rows and teacher.
    readout : ndarray, shape (p,)
        a.

    Raises
    ------
    ValueError
        Two rows are so nearly parallel that the series has not converged.
    """
    norm = np.linalg.norm(layer.rows, axis=1)
    unit = layer.rows / norm[:, None]
    correlation = unit @ unit.T
    np.fill_diagonal(correlation, 0)
    s, weight = _rule()
    square = model.activation(np.multiply.outer(norm, s)) ** 2 @ weight
    a = hermite_coefficients(model.activation, norm, ORDER + 1)
    g = hermite_coefficients(model.target, np.ones(1), ORDER + 1)[0]
    left = np.abs(correlation).max() ** (ORDER + 1) * (square - (a**2).sum(1)).max()
    if left > NEGLIGIBLE * square.max():
        raise ValueError(
            f"spike: two rows have correlation {np.abs(correlation).max():.4f}, too "
            "near to 1 for the series of the test error; take a smaller spike or step"
        )
    overlap = unit @ layer.teacher
    scaled = readout / np.sqrt(len(readout))
    signal = float(model.target(s) ** 2 @ weight)
    # the diagonal, where the correlation is 1, is known in full
    total = signal + float(scaled**2 @ square)
    power, between = np.ones_like(overlap), np.ones_like(correlation)
    np.fill_diagonal(between, 0)
    for k in range(ORDER + 1):
        term = scaled * a[:, k]
        total += float(term @ between @ term) - 2 * g[k] * float(term @ power)
        power *= overlap
        between *= correlation
    return total


def _rule() -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of averages over one normal number.

    They are midpoints, so that a kink or jump at 0 lies between nodes.
    """
    spacing = 2 * REACH / NODES
    s = -REACH + spacing * (np.arange(NODES, dtype=np.float64) + 0.5)
    weight: FloatArray = spacing * np.exp(-(s**2) / 2) / np.sqrt(2 * np.pi)
    return s, weight
