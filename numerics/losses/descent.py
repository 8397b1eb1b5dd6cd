r"""The stationary point of Phi in float64: alternating steps, then Newton's method.

Where the weights of the samples are known, ``w = (alpha/beta) E M''/2`` and
``e = (alpha/beta) E (M'/2)^2``, the unknowns x minimise a convex function, as for ridge
regression; y minimises a convex function where the averages' widths are known, and the
multipliers x' solve linear equations. Steps taken in turn come near the solution, from
a large penalty on, where it is known; Newton's method on all equations ends there.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detequiv.numerics.equations import Cone
from detequiv.numerics.losses.convex import FLOOR, ConvexSystem, Place
from detequiv.numerics.losses.samples import Moments
from detequiv.theory.errors import ConvergenceError

__all__ = [
    "Found",
    "Measure",
    "beginning",
    "coefficients",
    "descend",
    "multipliers",
    "natural_basis",
    "newton",
    "unknowns",
    "weights_of",
]

Array = NDArray[Any]
TOLERANCE = 1e-13  # relative Newton step that is the last
ROUNDING = 1e-6  # below which steps may cease to shrink
SOLVED = 1e-6  # residual, in natural sizes, of what is a solution
TURNS = (0, 5, 15, 60)  # alternating steps before each try of Newton's method
STEPS = 30  # of Newton's method
SHORT, SHORT_STEPS = 0.1, 2  # share of a step that is a short one, and how many serve
LARGEST = 1.5  # logarithmic change of the unknowns in a step
HALVINGS = 12
DEPENDENT = 1e-13  # singular values that belong to coefficients without effect
ROUNDED = 1e-6  # share of a mean's root mean square that may be its rounding
LEAST_BEND = 1e-3  # second derivative of the loss in whose units steps are damped
UNBENT = 1e-3  # share of the gradient along which there is none that calls for it
CONVEX = 40  # Newton steps for the coefficients
GAIN = 1e-8  # relative gain of such a step that is the last


@dataclass(frozen=True)
class Found:
    """A stationary point.

    Attributes
    ----------
    place : Place
        Where.
    moments : Moments
        Averages there.
    step : float
        Relative size of the last Newton step: the distance still to go.
    residual : float
        Largest equation, in natural sizes.
    """

    place: Place
    moments: Moments
    step: float
    residual: float


def beginning(system: ConvexSystem) -> Place:
    """Leading order at a large penalty: no fit yet."""
    x = np.array(system.equations.start(system.parameters), float)
    return Place(x, np.zeros_like(x), np.zeros(len(system.model.coefficients)))


def descend(system: ConvexSystem, start: Place) -> Found:
    """Solve from a place near enough, such as the solution at a larger penalty.

    Raises
    ------
    ConvergenceError
        Neither way got there.
    """
    place, best = start, np.inf
    for turns in TURNS[0 if start.y.any() else 1 :]:
        place = _alternate(system, place, turns)
        found = newton(system, place, STEPS if turns == TURNS[-1] else SHORT_STEPS)
        if found.step < ROUNDING:
            return found
        best = min(best, found.residual)
    reached = f", only up to a residual of {best:.1e}" if np.isfinite(best) else ""
    raise ConvergenceError(
        f"the equations of the loss were not solved{reached}; try another ridge.penalty"
    )


def _alternate(system: ConvexSystem, place: Place, turns: int) -> Place:
    """Take the steps in turn, samples' weights averaged with those before."""
    weights: tuple[Array, Array] | None = None
    for _ in range(turns):
        moments = system.moments(place)
        new = weights_of(system, moments)
        if weights is not None:
            new = (new[0] + weights[0]) / 2, (new[1] + weights[1]) / 2
        weights = new
        x = unknowns(system, place.x, weights[0])
        place = coefficients(system, replace(place, x=x))
        place = multipliers(system, place, weights[1])
    return place


def weights_of(system: ConvexSystem, moments: Moments) -> tuple[Array, Array]:
    """Shares of w and e on each node, quadrature weights included."""
    share = system.ratio * system.weights
    return share * moments.gradient[2], -share * moments.gradient[3]


def unknowns(system: ConvexSystem, x: Array, weights: Array) -> Array:
    """Minimise Psi with fixed weights of the samples, along geodesics."""
    average = system.form.T @ weights
    for _ in range(STEPS):
        cone = system.cone(x)
        gradient = (system.local_gradient(x) + average)[None]
        basis = cone.basis
        hessian = basis.swapaxes(1, 2) @ system.local_hessian(x)[None] @ basis
        hessian = hessian + cone.curvature(gradient)
        right = np.einsum("bij,bi->bj", basis, gradient)
        change = -np.linalg.solve(hessian, right[:, :, None])[:, :, 0]
        size = float(cone.size(change)[0])
        moved, _ = cone.move(change * min(1.0, LARGEST / max(size, 1e-300)))
        x = moved[0]
        if size < 1e-3:
            break
    return x


def coefficients(system: ConvexSystem, place: Place) -> Place:
    """Minimise over y at fixed widths, a convex function; Levenberg's damping."""
    first, second = system.slopes
    penalty = 2 * system.penalty(place.x)
    moments, damping = system.moments(place), 0.0
    # the Hessian of a loss that bends by one everywhere
    full = system.ratio * system.weights @ (first**2 + second**2)
    value = system.value(place, moments)
    for _ in range(CONVEX):
        share = system.ratio * system.weights
        g, h = moments.gradient, moments.hessian
        gradient = penalty @ place.y
        gradient = gradient + first.T @ (share * g[0]) + second.T @ (share * g[1])
        hessian = penalty.copy()
        for (i, left), (j, right) in (
            ((a, p), (b, q))
            for a, p in enumerate((first, second))
            for b, q in enumerate((first, second))
        ):
            hessian += left.T @ ((share * h[i, j])[:, None] * right)
        norm = np.sqrt(np.maximum(np.diag(hessian), LEAST_BEND * full))
        norm = np.maximum(norm, 1e-6 * max(norm.max(), 1e-6))  # of no function at all
        unit = hessian / norm / norm[:, None] + damping * np.eye(len(norm))
        right = gradient / norm
        step = -np.linalg.pinv(unit, rcond=DEPENDENT, hermitian=True) @ right
        rest = np.linalg.norm(unit @ step + right)
        if rest > UNBENT * np.linalg.norm(right) and not damping:
            damping = 1e-3  # no sample bends the loss where it falls
            continue
        trial = replace(place, y=place.y + step / norm)
        trial_moments = system.moments(trial)
        trial_value = system.value(trial, trial_moments)
        if not trial_value <= value + 1e-12 * abs(value):
            damping = max(10 * damping, 1e-3)
            continue
        gain = value - trial_value
        place, moments, value = trial, trial_moments, trial_value
        damping = damping / 10 if damping > 1e-6 else 0.0
        if gain < GAIN * abs(value):
            break
    return place


def multipliers(system: ConvexSystem, place: Place, errors: Array) -> Place:
    """Solve for x' at fixed errors of the samples: linear equations."""
    right = system.form.T @ errors - system.energy_gradient(place)
    multipliers = np.linalg.solve(system.local_hessian(place.x), right)
    return replace(place, multipliers=_positive(system, multipliers))


def _positive(system: ConvexSystem, multipliers: Array) -> Array:
    """Bring multipliers into the cone, where rounding has left it."""
    order = system.equations.order
    count = len(multipliers) - order * (order + 1) // 2
    found = multipliers.copy()
    found[:count] = np.maximum(found[:count], 1e-10 * max(found[:count].max(), FLOOR))
    if order:
        rows, columns = np.triu_indices(order)
        matrix = np.zeros((order, order))
        matrix[rows, columns] = matrix[columns, rows] = found[count:]
        values, vectors = np.linalg.eigh(matrix)
        values = np.maximum(values, 1e-10 * max(values.max(), FLOOR))
        matrix = (vectors * values) @ vectors.T
        found[count:] = matrix[rows, columns]
    return found


def newton(system: ConvexSystem, start: Place, patience: int = SHORT_STEPS) -> Found:
    """Solve all equations together, from near the solution.

    Unknowns move along geodesics; steps are halved until the equations are solved
    better. Equations are measured in the sizes of their own positive terms: in others
    they vanish at a false end too, where the fit is nothing. More short steps than the
    patience show that the solution is not near.
    """
    place, moments = start, system.moments(start)
    gradient = system.gradient(place, moments)
    measure = Measure(system, place, moments)
    residual, last = measure(gradient), np.inf
    for _ in range(STEPS):
        hessian = system.hessian(place, moments)
        cone, dual = system.cone(place.x), system.cone(place.multipliers)
        basis = natural_basis(place, cone, dual, hessian)
        change = _step(basis, hessian, np.concatenate(gradient))
        if change is None:
            break
        by_x, by_multipliers, _ = np.split(change, [len(place.x), 2 * len(place.x)])
        by_y = (basis @ change)[2 * len(place.x) :]
        size = max(
            float(cone.size(by_x[None])[0]),
            float(dual.size(by_multipliers[None])[0]),
            _fit_size(system, place, by_y),
        )
        if size < TOLERANCE or (size < ROUNDING and size > last / 2):
            # a fit that costs more than none is a false end, far away
            is_fit = system.value(place, moments) <= system.unfitted * (1 + SOLVED)
            solved = is_fit and residual < SOLVED
            return Found(place, moments, size if solved else np.inf, residual)
        last, factor = size, min(1.0, LARGEST / max(size, 1e-300))
        for _ in range(HALVINGS):
            trial = Place(
                cone.move(factor * by_x[None])[0][0],
                dual.move(factor * by_multipliers[None])[0][0],
                place.y + factor * by_y,
            )
            trial_moments = system.moments(trial)
            trial_gradient = system.gradient(trial, trial_moments)
            better = measure(trial_gradient)
            # near the end rounding decides
            if better < residual * (1 - 0.1 * factor) or (
                size < 1e-4 and better < 10 * residual + 1e-9
            ):
                break
            factor /= 2
        else:
            break
        patience -= factor < SHORT
        if patience < 0:
            break
        place, moments, gradient = trial, trial_moments, trial_gradient
        measure = Measure(system, place, moments)
        residual = measure(gradient)
    return Found(place, moments, np.inf, residual)


def _fit_size(system: ConvexSystem, place: Place, by_y: Array) -> float:
    """Root mean square of a change of the fit, beside fit and label."""
    mean, slope, spread, _ = system.functions(place)
    first, second = system.slopes
    squares = mean**2 + slope**2 + spread + system.samples.mean_square
    change = (first @ by_y) ** 2 + (second @ by_y) ** 2
    return float(np.sqrt(system.weights @ change / (system.weights @ squares)))


def _step(basis: Array, hessian: Array, gradient: Array) -> Array | None:
    """Newton step in natural sizes; None where something is not finite."""
    scaled = basis.T @ hessian @ basis
    if not np.isfinite(scaled).all():
        return None
    norm = np.sqrt(np.abs(scaled).max(0))
    norm = np.where(norm > 0, norm, 1.0)
    right = -(basis.T @ gradient) / norm
    step = np.linalg.lstsq(scaled / norm / norm[:, None], right, DEPENDENT)[0]
    change: Array = step / norm
    return change


def natural_basis(place: Place, cone: Cone, dual: Cone, hessian: Array) -> Array:
    """Differentiate all unknowns by their changes in natural sizes."""
    size = len(place.x)
    total = np.zeros_like(hessian)
    total[:size, :size] = cone.basis[0]
    total[size : 2 * size, size : 2 * size] = dual.basis[0]
    norm = np.sqrt(np.abs(np.diag(hessian)[2 * size :]))
    norm = np.maximum(norm, 1e-6 * max(norm.max(initial=0.0), 1e-6))
    total[2 * size :, 2 * size :] = np.diag(1 / norm)
    return total


class Measure:
    """Size of the equations, each in units of its own positive terms at a place."""

    def __init__(self, system: ConvexSystem, place: Place, moments: Moments) -> None:
        order = system.equations.order
        self._basis = basis = system.cone(place.x).basis[0]
        _, errors = weights_of(system, moments)
        positive = np.abs(basis.T @ (system.form.T @ errors))
        count = len(place.x) - order * (order + 1) // 2
        if order:
            rows, columns = np.triu_indices(order)
            own = np.sqrt(positive[count:][rows == columns])
            positive[count:] = own[rows] * own[columns]
        share = system.ratio * system.weights
        first, second = system.slopes
        # where labels are random, means are but rounding of their own terms
        least = ROUNDED * share * 2 * np.sqrt(-moments.gradient[3])
        by_mean, by_slope = (np.abs(share * g) + least for g in moments.gradient[:2])
        typical = np.abs(first).T @ by_mean + np.abs(second).T @ by_slope
        typical = typical + np.abs(2 * system.penalty(place.x) @ place.y)
        self._positive, self._typical = _floored(positive), _floored(typical)

    def __call__(self, gradient: tuple[Array, Array, Array]) -> float:
        """Root mean square of the equations; inf where they are not finite."""
        by_x, by_multipliers, by_y = gradient
        found = np.concatenate(
            [
                self._basis.T @ by_x / self._positive,
                self._basis.T @ by_multipliers,
                by_y / self._typical,
            ]
        )
        total = float(np.sqrt(np.mean(found**2)))
        return total if np.isfinite(total) else np.inf


def _floored(sizes: Array) -> Array:
    """Keep terms that vanish by symmetry from being divided by."""
    floored: Array = np.maximum(sizes, 1e-6 * max(sizes.max(initial=0.0), 1e-300))
    return floored
