r"""Gauss panels: quadrature on a line, with the integrals up to every node.

An interval is cut into panels of Gauss-Legendre nodes. A function given at the nodes of a panel is
replaced by its interpolant :math:`f = \sum_l (l + \tfrac12) P_l \sum_j w_j P_l(x_j) f_j`, whose
primitive is exact; sums of panels go on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.polynomial import legendre

from spintherm.validation import FloatArray


@dataclass(frozen=True, eq=False)
class GaussPanels:
    """Composite Gauss-Legendre quadrature between given edges.

    Parameters
    ----------
    edges : ndarray, shape (panels + 1,)
        Increasing.
    order : int
        Nodes of a panel.
    """

    edges: FloatArray
    order: int = 16

    @cached_property
    def points(self) -> FloatArray:
        """Nodes, increasing, shape (panels · order,)."""
        middle = 0.5 * (self.edges[1:] + self.edges[:-1])
        return np.asarray((middle[:, None] + self._halves * _panel(self.order)[0]).ravel())

    @cached_property
    def weights(self) -> FloatArray:
        """Weights of the nodes, shape (panels · order,)."""
        return np.asarray((self._halves * _panel(self.order)[1]).ravel())

    def from_below(self, values: FloatArray) -> FloatArray:
        """Return the integrals of a function from the lower end to every node.

        Parameters
        ----------
        values : ndarray, shape (panels · order,)
            The function at the nodes.

        Returns
        -------
        ndarray, shape (panels · order,)
        """
        rows = values.reshape(-1, self.order)
        inner = self._halves * (rows @ _panel(self.order)[2].T)
        whole = np.sum(self.weights.reshape(rows.shape) * rows, axis=1)
        before = np.concatenate(([0.0], np.cumsum(whole)[:-1]))
        return np.asarray((before[:, None] + inner).ravel())

    def from_above(self, values: FloatArray) -> FloatArray:
        """Return the integrals of a function from every node to the upper end.

        Parameters
        ----------
        values : ndarray, shape (panels · order,)
            The function at the nodes.

        Returns
        -------
        ndarray, shape (panels · order,)
        """
        return self._mirrored.from_below(values[::-1])[::-1]

    @cached_property
    def _mirrored(self) -> GaussPanels:
        return GaussPanels(-self.edges[::-1], self.order)

    @cached_property
    def _halves(self) -> FloatArray:
        return 0.5 * np.diff(self.edges)[:, None]


@lru_cache
def _panel(order: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Nodes and weights on (-1, 1), and the matrix that integrates from -1 to the nodes."""
    nodes, weights = legendre.leggauss(order)
    series = (legendre.legvander(nodes, order - 1) * weights[:, None]).T
    series = series * (np.arange(order)[:, None] + 0.5)
    primitives = legendre.legvander(nodes, order) @ legendre.legint(np.eye(order), lbnd=-1.0)
    return nodes, weights, primitives @ series
