"""What simplifies in a problem: groups that are one, numbers, terms that vanish."""

from functools import cached_property

from detequiv.theory.closed import Group, groups_of
from detequiv.theory.paper import Section
from detequiv.theory.problem import FeatureLaw, Problem, feature_law

__all__ = ["Simplified"]


class Simplified:
    """A problem's features with all that is special about them.

    Parameters
    ----------
    problem : Problem
        A spiked or a trained one.
    """

    def __init__(self, problem: Problem) -> None:
        self._whole = feature_law(problem)

    @property
    def law(self) -> FeatureLaw:
        """Features with groups that are alike merged."""
        return self._whole.merged

    @cached_property
    def groups(self) -> list[Group]:
        """Averages over g of every group."""
        return groups_of(self.law)

    @property
    def level(self) -> bool:
        """Whether the leverage is one number, the same for all samples."""
        return all(group.level for group in self.groups)

    @property
    def aligned(self) -> bool:
        """Whether the target is a function of kappa, up to noise."""
        return bool((self.law.alignment**2 - 1).is_zero)

    @property
    def remarks(self) -> list[str]:
        """Say what simplifies, in the order in which it is used."""
        found = []
        for own in self._whole.alike:
            if len(own) > 1:
                *first, last = [str(q + 1) for q in own]
                found.append(
                    f"Groups {', '.join(first)} and {last} of the problem are alike, "
                    "and are one group here."
                )
        unspiked = all(u.is_zero for u in self.law.spikes)
        if self.level:
            why = "There is no spike" if unspiked else "The activation is affine"
            found.append(
                rf"{why}: the leverage of a sample does not depend on its projection "
                r"$\kappa$, and no average over $\kappa$ is left."
            )
            if all(group.c0.is_zero for group in self.groups):
                found.append(
                    r"The mean of the activation vanishes: nothing is learned for free."
                )
            if all(group.c1.is_zero for group in self.groups):
                found.append(
                    r"The activation has no linear part: of the target the features "
                    r"learn a constant alone."
                )
        else:
            for q, u in enumerate(self.law.spikes, start=1):
                if u.is_zero:
                    found.append(
                        f"Group {q} has no spike: its averages do not depend on "
                        r"$\kappa$."
                    )
        if self.aligned and not self.level:
            found.append(
                r"The target is a function of $\kappa$: $\tau_1$ vanishes, and with it "
                "the coefficients $r$."
            )
        return found

    @property
    def section(self) -> list[Section]:
        """The remarks as a section; none if nothing simplifies."""
        return [Section("What simplifies", self.remarks)] if self.remarks else []
