"""Derivations of spiked random features, and of trained networks."""

from functools import lru_cache

from detequiv.theory.derivation.derivation import Derivation
from detequiv.theory.derivation.sections_level import level_sections
from detequiv.theory.derivation.sections_problem import (
    functions_section,
    numbers_section,
)
from detequiv.theory.derivation.sections_spiked import (
    energy_section,
    equations_section,
    errors_section,
    potential_section,
    setting_section,
    unknowns_section,
)
from detequiv.theory.derivation.sections_step import step_section
from detequiv.theory.derivation.simplify import Simplified
from detequiv.theory.derivation.standalone import equations_source, problem_source
from detequiv.theory.errors import InputError
from detequiv.theory.models import spiked_model
from detequiv.theory.paper import Section, as_latex, as_text
from detequiv.theory.problem import MOST_GROUPS, Problem, check_problem

__all__ = ["SpikedDerivation", "derive"]


def derive(
    problem: Problem | None = None, *, groups: int | None = None
) -> "SpikedDerivation":
    r"""Derive the equations of a problem, or of any problem with so many groups.

    Parameters
    ----------
    problem : Problem, optional
        Gives the number of groups, the activation, the target and the numbers; or:
    groups : int
        K, from 1 to 8. Exactly one of the two.

    Returns
    -------
    SpikedDerivation
        Potentials, equations, Jacobian and errors as SymPy expressions, and ways to
        write them: ``latex()``, ``text()``, ``python()``.

    Raises
    ------
    InputError
        Both or neither argument given, or a number of groups out of range.

    Examples
    --------
    >>> derivation = derive(groups=1)
    >>> derivation.unknowns
    mappingproxy({g_1: 'positive', Matrix([[A_1_1]]): 'symmetric positive definite'})
    >>> derivation.errors["training_error"]
    beta*(E - E_ridge*lambda)/alpha
    """
    if (problem is None) == (groups is None):
        given = "neither" if problem is None else "both"
        raise InputError("derive", given, "give either a problem or groups")
    if problem is not None:
        check_problem(problem)
        problem.require_regression("a derivation")
        return _of_problem(problem)
    if type(groups) is not int or not 1 <= groups <= MOST_GROUPS:
        raise InputError(
            "groups", groups, f"give a whole number from 1 to {MOST_GROUPS}"
        )
    return _of_groups(groups)


@lru_cache(maxsize=MOST_GROUPS)
def _of_groups(groups: int) -> "SpikedDerivation":
    return SpikedDerivation(groups)


@lru_cache(maxsize=MOST_GROUPS)
def _of_problem(problem: Problem) -> "SpikedDerivation":
    return SpikedDerivation(problem.groups, problem)


class SpikedDerivation(Derivation):
    """The equations of spiked random features, or of one problem with them.

    Parameters
    ----------
    groups : int
        K.
    problem : Problem, optional
        Gives activation, target and numbers.
    """

    def __init__(self, groups: int, problem: Problem | None = None) -> None:
        self.problem = problem
        self.special = None if problem is None else Simplified(problem)
        self.law = None if self.special is None else self.special.law
        self.groups = groups if self.law is None else len(self.law.weights)
        self.latents = 1 if self.law is None else len(self.law.tangents)
        super().__init__(spiked_model(self.groups, self.latents))

    @property
    def title(self) -> str:
        """What is derived."""
        kind = "spiked random features"
        if self.law is not None and self.law.equations == "network":
            kind = "a network after one gradient step"
        groups = "1 group" if self.groups == 1 else f"{self.groups} groups"
        return f"Deterministic equivalent of {kind}, {groups} of units"

    def latex(self, *, closed_forms: bool = False) -> str:
        """Write the derivation as a LaTeX document that compiles by itself.

        Parameters
        ----------
        closed_forms : bool
            Put the closed forms of the problem's activation and target where the
            averages are defined, as far as they exist.

        Raises
        ------
        InputError
            Closed forms of no problem.
        """
        return as_latex(self.title, self.sections(closed_forms=closed_forms))

    def text(self, *, closed_forms: bool = False) -> str:
        """Write the derivation in plain text; see :meth:`latex`."""
        return as_text(self.title, self.sections(closed_forms=closed_forms))

    def python(self) -> str:
        """Write a Python module that solves the equations, with NumPy alone.

        It has the functions ``equations``, ``solve`` and ``errors`` of arrays of field
        values; of a problem also its ``fields``, and it prints the errors when run.
        """
        if self.problem is None or self.law is None:
            return equations_source(self.title)
        return problem_source(self.title, self.problem, self.law)

    def sections(self, *, closed_forms: bool = False) -> list[Section]:
        """Lay out the derivation in the order of reading."""
        if closed_forms and self.law is None:
            raise InputError("closed_forms", True, "give a problem, which has them")
        parts = [setting_section()]
        special, aligned = self.special, False
        if self.law is not None and self.problem is not None and special is not None:
            parts.append(numbers_section(self.problem, self.law))
            if self.problem.network is not None:
                parts.append(step_section(self.problem, self.problem.network))
            parts += special.section
            aligned = special.aligned
            if special.level:
                return parts + level_sections(self.problem, special.groups)
        parts += [
            functions_section(self.law, closed_forms),
            unknowns_section(self.groups),
            potential_section(self.groups),
            equations_section(self.groups),
            energy_section(self.latents, aligned),
            errors_section(self.groups, self.latents, aligned),
        ]
        return parts
