r"""How much of the spectrum lies below a point: the imaginary part of Psi.

By stationarity ``dPsi/dlambda`` is the trace of the resolvent, so that at
``lambda = -(x + i0)``

.. math:: \Psi = \int \log(t - x - i0)\, d\mu(t) + \mathrm{const}, \qquad
          \mu((-\infty, x)) = -\frac1\pi \mathrm{Im}\,\Psi ,

without an integral. Where x lies off the support every logarithm in Psi is that of a
real number, and its imaginary part 0 or pi: the share of the eigenvalues below a gap
is one of finitely many numbers, its *height*, which the signs of the ``g_q``, of the
eigenvalues of A and of ``1 + chi`` determine.

Everything here is in the scale of ``Phi^T Phi / p``.
"""

from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from detequiv.numerics.arithmetic import FLOATS, compile_expressions
from detequiv.numerics.equations import ResolventSystem
from detequiv.theory.models import LogDet, Model, upper_triangle

__all__ = ["SAME", "Counting"]

Array = NDArray[Any]
SAME = 1e-12  # shares that differ by less are one


class Counting:
    """The distribution function of the spectrum, on one rule on the real kappa axis.

    Parameters
    ----------
    system : ResolventSystem
        The equations on that rule.
    """

    def __init__(self, system: ResolventSystem) -> None:
        model = system.equations.model
        self.system = system
        self._parameters = system.parameters(np.array([-1.0]))
        self._ridge = model.parameters.index(model.ridge)
        self._local, self._average = _compiled(model)
        self._count = len(model.unknowns.positive)

    def below(self, x: Array, z: Array) -> Array:
        """Share of the eigenvalues below each point.

        Parameters
        ----------
        x : (B, N) complex array
            Unknowns at the points.
        z : (B,) array
            The points, real and not 0.

        Returns
        -------
        (B,) array
        """
        chi = _from_above(self.system.chi(x))
        return self._share(x, chi, self.system.weights, z)

    def heights(self) -> Array:
        """All shares that a gap may have below it, ascending, between 0 and 1."""
        k, order = self._count, self.system.equations.order
        pairs = upper_triangle(order)
        signs = [
            [*g, *(_sign(i >= m) if i == j else 0.0 for i, j in pairs), chi]
            for g in product((1.0, -1.0), repeat=k)
            for m in range(order + 1)
            for chi in (0.0, -2.0)
        ]
        rows = np.array(signs) + 0j
        shares = self._share(
            rows[:, :-1], rows[:, -1:], np.ones(1), -np.ones(len(rows))
        )
        shares = np.sort(shares[(shares > SAME) & (shares < 1 - SAME)])
        distinct = np.diff(shares, prepend=-1.0) > SAME
        return shares[distinct]

    def _share(self, x: Array, chi: Array, weights: Array, z: Array) -> Array:
        """Minus the imaginary part of Psi over pi."""
        positive = _from_above(x[:, : self._count])
        definite = x[:, self._count :]
        order = self.system.equations.order
        matrix = np.empty((len(x), order, order), complex)
        for place, (i, j) in enumerate(upper_triangle(order)):
            matrix[:, i, j] = matrix[:, j, i] = definite[:, place]
        # A has a positive imaginary part in the upper half plane, as the g_q have
        entropy = np.log(_from_above(np.linalg.eigvals(matrix))).sum(1)
        p = list(self._parameters)
        (average,) = self._average(chi, *p)
        p[self._ridge] = -z
        (local,) = self._local(*positive.T, *definite.T, entropy, *p)
        share: Array = -(local + average @ weights).imag / np.pi
        return share


@lru_cache(maxsize=16)
def _compiled(model: Model) -> tuple[Any, Any]:
    """Compile the local and the averaged part of Psi; log det A is an argument."""
    entropy = sp.Dummy("logdet")
    known = dict.fromkeys(model.psi_local.atoms(LogDet), entropy)
    local = compile_expressions(
        [*model.unknowns.symbols, entropy, *model.parameters],
        [model.psi_local.xreplace(known)],
        FLOATS,
    )
    average = compile_expressions(
        [model.chi, *model.parameters], [model.psi_average], FLOATS
    )
    return local, average


def _sign(positive: bool) -> float:
    return 1.0 if positive else -1.0


def _from_above(values: Array) -> Array:
    """Free boundary values from the upper half plane of rounding."""
    cleared: Array = values.real + 1j * np.maximum(values.imag, 0.0)
    return cleared
