"""What a problem adds to a derivation: its numbers and its functions of kappa."""

import sympy as sp

from detequiv.theory.functions import z
from detequiv.theory.gaussian import Moments, m, rho
from detequiv.theory.paper import (
    Formula,
    Section,
    equation,
    number,
    short,
    tex,
)
from detequiv.theory.problem import FeatureLaw, Problem, c1, c2, kappa

__all__ = ["functions_section", "numbers_section"]

# of any one group
_strength, _bulk = sp.Symbol("u_q", real=True), sp.Symbol("rho_q", positive=True)
_NAMES = {c1: "c_{1,q}", c2: "c_{2,q}", z: "z"}
_GIVEN = r"\rho_q g + u_q \kappa"


def numbers_section(problem: Problem, law: FeatureLaw) -> Section:
    """List the functions and the numbers of a problem."""
    layer = problem.features or problem.network
    assert layer is not None
    ridge = problem.ridge
    scalars = {
        "alpha": (r"\alpha", ridge.samples_per_dim),
        "beta": (r"\beta", ridge.width_per_dim),
        "lambda": (r"\lambda", ridge.penalty),
        "zeta": (r"\zeta", law.alignment),
        "Delta": (r"\Delta", law.noise_variance),
    }
    groups = [
        {f"pi_{q}": weight, f"u_{q}": u, f"rho_{q}": bulk}
        for q, (weight, u, bulk) in enumerate(
            zip(law.weights, law.spikes, law.bulks, strict=True), start=1
        )
    ]
    return Section(
        "Problem",
        [
            Formula(
                rf"\sigma(z) &= {tex(layer.activation, _NAMES)}, \qquad g(z) = "
                rf"{tex(problem.target.function, _NAMES)}",
                f"sigma(z) = {layer.activation}\ng(z) = {problem.target.function}",
            ),
            Formula(
                "&"
                + r", \quad ".join(
                    name + number(value).latex for name, value in scalars.values()
                ),
                ",  ".join(
                    f"{name} {number(value).text}"
                    for name, (_, value) in scalars.items()
                ),
            ),
            *[
                Formula(
                    "&"
                    + r", \quad ".join(
                        tex(sp.Symbol(name), {}) + number(value).latex
                        for name, value in group.items()
                    ),
                    ",  ".join(
                        f"{name} {number(value).text}" for name, value in group.items()
                    ),
                )
                for group in groups
            ],
        ],
    )


def functions_section(law: FeatureLaw | None, closed_forms: bool) -> Section:
    """Define the functions of kappa; by their closed forms where asked for."""
    body: list[str | Formula] = [
        r"Features and target enter through functions of $\kappa$. Given $\kappa$, a "
        r"unit of group $q$ sees a Gaussian number of mean $u_q \kappa$ and standard "
        r"deviation $\rho_q$,"
    ]
    closed = law.activation if law is not None and closed_forms else None
    body += _activation_formulas(closed)
    body += _tangent_formulas(law)
    body += ["and the target, with a standard Gaussian number $s$ of its own,"]
    body += _target_formulas(law if closed_forms else None)
    return Section("Functions of kappa", body)


def _activation_formulas(closed: Moments | None) -> list[Formula]:
    """Define c0, c1, the second moment and cs."""
    rows = [
        (r"c_{0,q}", "c0_q", "", "", None if closed is None else closed.c0),
        (r"c_{1,q}", "c1_q", r"g\,", "g ", None if closed is None else closed.c1),
    ]
    formulas = [
        _closed(Formula(name, text), value)
        if value is not None
        else Formula(
            rf"{name}(\kappa) &= \E_g\, {factor} \sigma({_GIVEN})",
            f"{text}(kappa) = E_g {plain}sigma(rho_q g + u_q kappa)",
        )
        for name, text, factor, plain, value in rows
    ]
    second = None if closed is None else closed.second
    square = rf"\E_g\, \sigma({_GIVEN})^2"
    plain_square = "E_g sigma(rho_q g + u_q kappa)^2"
    if second is not None:
        name = Formula(r"c_{\sigma^2,q}", "second_q")
        formulas.append(_closed(name, second))
        square, plain_square = rf"{name.latex}(\kappa)", f"{name.text}(kappa)"
    formulas.append(
        Formula(
            rf"c_{{\star,q}}(\kappa) &= {square} - c_{{0,q}}(\kappa)^2 - "
            r"c_{1,q}(\kappa)^2",
            f"cs_q(kappa) = {plain_square} - c0_q(kappa)^2 - c1_q(kappa)^2",
        )
    )
    return formulas


def _closed(name: Formula, value: sp.Expr) -> Formula:
    """Write a moment of the activation as the function of kappa that it is."""
    spelled = value.subs({m: _strength * kappa, rho: _bulk}, simultaneous=True)
    return equation(
        Formula(rf"{name.latex}(\kappa)", f"{name.text}(kappa)"), spelled, _NAMES
    )


def _tangent_formulas(law: FeatureLaw | None) -> list[Formula]:
    """Define h; each group its own in a trained network."""
    if law is None or law.equations == "spiked":
        return [
            Formula(
                r"h_q(\kappa) &= \kappa\, c_{1,q}(\kappa)",
                "h_q(kappa) = kappa c1_q(kappa)",
            )
        ]
    formulas = [
        Formula(
            rf"c_{{2,q}}(\kappa) &= \E_g\, (g^2 - 1)\, \sigma({_GIVEN})",
            "c2_q(kappa) = E_g (g^2 - 1) sigma(rho_q g + u_q kappa)",
        )
    ]
    for place, latent in enumerate(law.tangents, start=1):
        for q, h in enumerate(latent, start=1):
            label = f"{q}" if len(law.tangents) == 1 else rf"{place},{q}"
            own = {f: sp.Symbol(f"{f}_{q}(kappa)") for f in (c1, c2)}
            names = {own[f]: f"c_{{{f.name[1]},{q}}}(\\kappa)" for f in own}
            terms = sp.collect(sp.expand(h), (kappa * c1, c2), evaluate=False)
            value = sp.Add(*[short(factor) * term for term, factor in terms.items()])
            formulas.append(
                equation(
                    Formula(
                        f"h_{{{label}}}(\\kappa)", f"h_{label.replace(',', '_')}(kappa)"
                    ),
                    value.subs(own),
                    names,
                )
            )
    return formulas


def _target_formulas(law: FeatureLaw | None) -> list[Formula]:
    """Define tau0, tau1 and tau2."""
    seen, plain = (
        r"\zeta\kappa + \sqrt{1 - \zeta^2}\, s",
        "zeta kappa + sqrt(1 - zeta^2) s",
    )
    general = [
        Formula(
            rf"\tau_0(\kappa) &= \E_s\, g({seen})", f"tau0(kappa) = E_s g({plain})"
        ),
        Formula(
            rf"\tau_1(\kappa) &= \E_s\, s\, g({seen})",
            f"tau1(kappa) = E_s s g({plain})",
        ),
        Formula(
            rf"\tau_2(\kappa) &= \Delta + \E_s\, g({seen})^2 - \tau_0(\kappa)^2 - "
            r"\tau_1(\kappa)^2",
            f"tau2(kappa) = Delta + E_s g({plain})^2 - tau0(kappa)^2 - tau1(kappa)^2",
        ),
    ]
    if law is None:
        return general
    spread = sp.sqrt(1 - law.alignment**2)
    if spread.is_zero:
        values = [law.target.function.subs(z, kappa), sp.S.Zero, law.noise_variance]
    else:
        seen_by = {m: law.alignment * kappa, rho: spread}
        moments = law.target
        c0, c1_, second = (
            None if value is None else value.subs(seen_by, simultaneous=True)
            for value in (moments.c0, moments.c1, moments.second)
        )
        rest = None
        if c0 is not None and c1_ is not None and second is not None:
            rest = law.noise_variance + sp.expand(second - c0**2 - c1_**2)
        values = [c0, c1_, rest]
    return [
        formula
        if value is None
        else equation(Formula(rf"\tau_{k}(\kappa)", f"tau{k}(kappa)"), value, _NAMES)
        for k, (formula, value) in enumerate(zip(general, values, strict=True))
    ]
