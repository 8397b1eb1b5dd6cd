"""The model of inputs with a covariance contains the isotropic one."""

import sympy as sp

from detequiv.theory.models import covariance_model, spiked_model
from detequiv.theory.models.matrices import InverseEntry


def one_level(model):
    """Numbers of the one level: s = omega = r = 1."""
    s, omega, r = model.levels[:3]
    return {s: 1, omega: 1, r: 1}


def test_eliminating_the_multiplier_on_one_level_leaves_the_isotropic_potential():
    model, plain = covariance_model(1), spiked_model(1)
    (A,), (B,), (g,) = model.coupling, model.field, model.g
    psi = (model.psi_local + model.psi_level).doit()
    psi = psi.subs(model.matrix[0], model.precision[0]).subs(one_level(model))
    (stationary,) = sp.solve(sp.diff(psi, B), B)
    beta, pi = model.parameters[1], model.parameters[5]
    assert sp.simplify(stationary - (1 / A - 1 / (beta * pi * g))) == 0
    a = sp.Symbol("a", positive=True)  # A itself may be negative, and its logarithm not
    left = psi.subs(B, stationary).subs(A, a)
    right = plain.psi_local.doit().subs(plain.unknowns.definite[0], a)
    assert sp.simplify(sp.expand_log(sp.simplify(left - right), force=True)) == 0
    assert model.psi_average == plain.psi_average
    assert model.linear_form == plain.linear_form


def test_a_level_enters_by_its_weight_alone():
    model = covariance_model(2)
    omega = model.levels[1]
    assert sp.simplify(model.psi_level - omega * model.psi_level.subs(omega, 1)) == 0
    assert not model.energy_level.has(omega)


def test_eliminating_the_multipliers_on_one_level_leaves_the_isotropic_energy():
    # one node in kappa: averages are values, and w is a number
    model, plain = covariance_model(1), spiked_model(1)
    w = sp.Symbol("w", positive=True)
    _, c1, _, h = model.fields[:4]
    vv, vp, pp = model.levels[3:6]
    squares = sum(r**2 for r in model.energy_residuals)
    squares -= sum(r**2 for r in model.energy_counted)
    energy = model.energy_local + w * (squares + model.energy_rest)
    level = model.energy_level.replace(
        lambda e: isinstance(e, InverseEntry), lambda e: 1 / model.precision[0]
    )
    # with a direction each for the spike and for the rest of the target
    energy += level.subs({vv: 1, vp: 0, pp: 1}).subs(one_level(model))
    norm = [p for p in model.parameters if p.name.startswith("C")]
    energy = energy.subs(dict.fromkeys(norm, 0)).subs(model.field[0], w * c1**2)
    m, *others = model.coefficients
    found = sp.solve([sp.diff(energy, y) for y in others], others, dict=True)[0]
    left = energy.subs(found)

    _, t, r = plain.coefficients
    right = plain.energy_local + w * (
        sum(x**2 for x in plain.energy_residuals) + plain.energy_rest
    )
    stationary = sp.solve([sp.diff(right, y) for y in (t, r)], [t, r], dict=True)[0]
    right = right.subs(stationary).subs(plain.coefficients[0], m)
    # the spike's tangent of the isotropic model is kappa c1
    kappa = sp.Symbol("kappa")
    names = {plain.fields[3]: kappa * c1}
    assert model.fields[3] != plain.fields[3]  # named by its latent
    assert sp.simplify(left.subs(h, kappa * c1) - right.subs(names)) == 0


def test_one_group_without_a_spike_has_one_explicit_equation():
    # with t = V B: lambda t = c1^2 (alpha - D)(beta - D)/beta, D = cs t/c1^2 + <f>,
    # f = s t/(1 + s t): the product of the S-transforms of samples, units and Sigma
    model = covariance_model(1)
    alpha, beta, ridge, source = model.parameters[:4]
    pi = model.parameters[5]
    (g,), (A,), (B,) = model.g, model.coupling, model.field
    c1, cs = model.fields[1:3]
    s, omega, r = model.levels[:3]
    t, s1, s2, share = sp.symbols("t s1 s2 share", positive=True)
    levels = [(s1, share), (s2, 1 - share)]
    learned = sum(w * x * t / (1 + x * t) for x, w in levels)
    D = cs * t / c1**2 + learned
    weight = (alpha - D) / beta
    values = {
        ridge: c1**2 * (alpha - D) * (beta - D) / (beta * t),
        g: t / (c1**2 * (alpha - D)),
        A: learned / (c1**2 * weight),
        B: c1**2 * weight,
    }
    level = [e.doit() for e in model.gradient(model.psi_level)]
    for x, inner in zip(model.unknowns, level, strict=True):
        inner = inner.subs(model.matrix[0], model.precision[0])
        total = sp.diff(model.psi_local, x) + sp.diff(
            model.psi_average.subs(model.chi, model.linear_form), x
        )
        total += sum(inner.subs({s: v, omega: w}) for v, w in levels)
        total = total.subs({r: 1, pi: 1, source: 0}).subs(values)
        assert sp.cancel(sp.together(total)) == 0, x
