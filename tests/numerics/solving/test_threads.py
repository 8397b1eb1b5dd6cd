"""Threads that work at different precisions do not disturb one another."""

from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import flint
import mpmath
import pytest

import detequiv as de
from detequiv.numerics.arithmetic.compiled import bits, precision
from detequiv.theory.precision import decimal_digits


def test_blocks_of_a_precision_take_turns() -> None:
    seen: list[tuple[int, int]] = []

    def other() -> None:
        with precision(20), decimal_digits(30):
            seen.append((flint.ctx.prec, mpmath.mp.dps))

    thread = Thread(target=other)
    with decimal_digits(50), precision(60):
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        assert (flint.ctx.prec, mpmath.mp.dps) == (bits(60), 50)
    thread.join()
    assert seen == [(bits(20), 30)]


def test_six_threads_solve_as_one() -> None:
    jobs = [("1/2", 15), ("1", 30), ("3/2", 60), ("1/3", 20), ("2", 15), ("5/4", 40)]

    def solved(job: tuple[str, int]) -> list[str]:
        problem = de.Problem(
            features=de.SpikedFeatures(activation="tanh", spike=job[0]),
            target=de.Target(function="z", noise="1/2"),
            ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty="1/10"),
        )
        point = de.solve(problem, digits=job[1])
        return [point.text(n) for n in ("generalization_error", "resolvent_trace")]

    with ThreadPoolExecutor(6) as executor:
        together = list(executor.map(solved, jobs))
    assert together == [solved(job) for job in jobs]


@pytest.mark.parametrize("digits", [None, 20])
def test_curves_in_threads(digits: int | None) -> None:
    problem = de.Problem(
        features=de.SpikedFeatures(activation="erf", spike=1),
        target=de.Target(function="z", noise="1/2"),
        ridge=de.Ridge(samples_per_dim=2, width_per_dim=1, penalty="1/10"),
    )
    vary = {"features.spike": ["1/2", 1, 2], "ridge.penalty": ["1/10", 1]}
    alone = de.curve(problem, vary=vary, digits=digits)
    with ThreadPoolExecutor(6) as executor:
        together = de.curve(problem, vary=vary, digits=digits, executor=executor)
    assert together.to_csv() == alone.to_csv()
