"""The page of a validation report: self-contained HTML with figures as inline SVG."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from io import StringIO

import jinja2
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from detequiv.figures.style import COLOURS, STYLE, draw_simulation, draw_theory
from detequiv.formats.mathml import sections_html
from detequiv.formats.problem_file import dump
from detequiv.formats.quantities import DEFINITIONS
from detequiv.numerics.derived import learned_function
from detequiv.numerics.solving import solve
from detequiv.theory.derivation import derive
from detequiv.theory.errors import InputError
from detequiv.theory.paper import Section
from detequiv.theory.problem import Problem
from detequiv.validation.statistics import POWER, Finding
from detequiv.validation.trial import PROJECTIONS, Trial, learned_at

__all__ = ["page"]

COLUMNS = 3  # of the small multiples
LIBRARIES = ("detequiv", "numpy", "scipy", "sympy", "mpmath", "python-flint")
SHOWN = ("Potential", "Energy")  # sections of a derivation; the others unfold

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Theory and simulation: {{ judgement.verdict }}</title>
<style>
body { font: 16px/1.55 system-ui, sans-serif; color: #222; max-width: 60rem;
  margin: 2.5rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
td small { color: #666; display: block; }
pre { background: #f6f6f6; padding: .8rem 1rem; overflow-x: auto; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; }
figcaption { color: #555; font-size: .92rem; }
.agree { color: #00694a; } .disagree { color: #b33d00; } .undecided { color: #7a5c00; }
.scroll, .formula { overflow-x: auto; }
</style>
</head>
<body>
<h1>Theory and simulation:
<span class="{{ judgement.verdict }}">{{ judgement.verdict }}</span></h1>
<p>{{ meaning }}</p>

<h2>Problem</h2>
<pre>{{ problem }}</pre>

<h2>Equations</h2>
{% if derivation -%}
<p>Theory is the stationary point of &Psi; in g and A, and the minimum of the Energy
over m, t and r; errors are derivatives of that minimum by &epsilon; and &lambda;
(arXiv:2410.18938). Given &kappa;, the projection of an input on the spike,
c<sub>0</sub>, c<sub>1</sub> and c<sup>*</sup> are the mean, the linear part and the
remaining variance of the features of a group, h their tangent functions, and &tau; the
same of the target.</p>
{{ sections(shown)|safe }}
<details><summary>All equations, as derived</summary>
{{ sections(derivation)|safe }}</details>
{%- else -%}
<p>They are solved, but not printed: {{ untold }}.</p>
{%- endif %}

<h2>Verdicts</h2>
<div class="scroll"><table>
<tr><th>quantity</th><th>theory</th><th>simulation</th><th>standard error</th><th>z</th>
<th>p</th><th>detectable</th><th>verdict</th></tr>
{% for one in judgement.findings -%}
<tr><td>{{ one.name }}<small>{{ definition(one.name) }}</small></td>
<td>{{ number(one.theory) }}</td><td>{{ number(one.simulation) }}</td>
<td>{{ "%.2g" % one.standard_error }}</td><td>{{ "%+.2f" % one.z }}</td>
<td>{{ "%.3f" % one.p_value }}</td><td>{{ "%.2f" % (100 * one.detectable) }}&nbsp;%</td>
<td class="{{ one.verdict }}">{{ one.verdict }}
{%- if not one.fits %}<small>the finite-size fit is refuted</small>{% endif %}</td></tr>
{% endfor -%}
</table></div>
<p>Simulation is carried to infinite dimension. Its standard error allows for the
powers of 1/d that the fit leaves out. Detectable is the smallest relative error of
theory that would have been detected with probability {{ power }}; agreement is claimed
where that is at most {{ "%.0f" % (100 * judgement.resolution) }}&nbsp;%.</p>

<h2>Curves</h2>
<figure>{{ trends|safe }}
<figcaption>Simulation less theory at the sizes drawn, against 1/d, with one standard
error. Line: the fit. Left end: carried to infinite dimension, where a right theory is
at zero.</figcaption></figure>
<figure>{{ learned|safe }}<figcaption>Learned function of &kappa;: theory at infinite
dimension, simulation carried to it, with one standard error.</figcaption></figure>

<h2>How it was done</h2>
<table>
{% for name, value in facts -%}
<tr><td>{{ name }}</td><td>{{ value }}</td></tr>
{% endfor -%}
</table>
</body>
</html>
"""

NO_DIFFERENCE = "No quantity differs from its simulation by more than chance explains"
MEANINGS = {
    "agree": f"{NO_DIFFERENCE}, and errors of the size stated below would have been "
    "seen.",
    "disagree": "A quantity differs from its simulation by more than chance explains.",
    "undecided": f"{NO_DIFFERENCE}, but for some an error of the size stated below "
    "could have gone unseen, or the finite-size fit does not describe them. A larger "
    "budget decides.",
}


def page(trial: Trial) -> str:
    """Write the report on a trial as HTML."""
    judgement = trial.judgement
    looks = ", ".join(f"{look.level:g}" for look in trial.looks)
    facts = [
        ("family-wise error probability", f"{trial.level:g}"),
        ("spent at each look", looks),
        ("seed", trial.seed),
        *((f"draws at d = {d}", count) for d, count in trial.draws.items()),
        ("time", f"{trial.seconds:.1f} s of {trial.budget:g} s"),
        *((name, version(name)) for name in LIBRARIES),
        ("Python", platform.python_version()),
    ]
    derivation, untold = _derivation(trial.problem)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(TEMPLATE).render(
        judgement=judgement,
        meaning=MEANINGS[judgement.verdict],
        problem=dump(trial.problem),
        derivation=derivation,
        shown=[section for section in derivation if section.title in SHOWN],
        sections=sections_html,
        untold=untold,
        trends=_inline(_trends(judgement.findings)),
        learned=_inline(_learned(trial)),
        definition=_definition,
        number=lambda value: f"{value:.5g}",
        power=POWER,
        facts=facts,
    )


BEGINNINGS = {
    "learned_function": "mean predictor at this kappa",
    "resolvent(": "(1/p) tr (Phi^T Phi / n - z)^-1",
    "mass below(": "(1/p) tr [1/2 - arctan((Phi^T Phi / n - x) / y) / pi]",
    "log singular value": "of Phi / sqrt(n), from the largest; theory at this d, "
    "differences carried to infinite d",
}
"""What quantities are whose names go on with a number."""


def _definition(name: str) -> str:
    """Say what a quantity is."""
    for start, definition in BEGINNINGS.items():
        if name.startswith(start):
            return definition
    return DEFINITIONS[name]


def _inline(figure: Figure) -> str:
    """Figure as an SVG element."""
    text = StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def _derivation(problem: Problem) -> tuple[list[Section], str]:
    """Sections of a problem's derivation, or why there are none."""
    try:
        return derive(problem).sections(), ""
    except InputError as error:
        return [], str(error)


def _trends(findings: Sequence[Finding]) -> Figure:
    """Draw each quantity's differences against 1/d, with the fit."""
    rows = -(-len(findings) // COLUMNS)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.1 * COLUMNS, 2.3 * rows), layout="constrained")
        axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for ax in axes[len(findings) :]:
            ax.remove()
        for ax, one in zip(axes, findings, strict=False):
            measured, trend = one.measurement, one.trend
            inverse = 1 / np.array(measured.dimensions)
            x = np.linspace(0, inverse.max() * 1.05, 60)
            fit = np.polynomial.Polynomial([trend.intercept, *trend.corrections])(x)
            ax.axhline(0, color="#888888", linewidth=0.8)
            draw_theory(ax, x, fit, colour=COLOURS[0], label="fit")
            draw_simulation(
                ax,
                inverse,
                np.array(measured.differences),
                np.array(measured.standard_errors),
                colour=COLOURS[1],
            )
            draw_simulation(
                ax,
                np.zeros(1),
                np.array([trend.intercept]),
                np.array([one.standard_error]),
                colour=COLOURS[0],
            )
            ax.set_title(one.name, fontsize=9)
            ax.set_xlabel("1/d", fontsize=9)
            ax.tick_params(labelsize=8)
    return figure


def _learned(trial: Trial) -> Figure:
    """Draw the learned function and its simulation."""
    found = {one.name: one for one in trial.judgement.findings}
    kappa = np.linspace(-2.6, 2.6, 131)
    theory = learned_function(solve(trial.problem, digits=8), kappa)
    names = [(k, learned_at(k)) for k in PROJECTIONS if learned_at(k) in found]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.4), layout="constrained")
        ax = figure.subplots()
        draw_theory(ax, kappa, theory, colour=COLOURS[0], label="theory")
        draw_simulation(
            ax,
            np.array([k for k, _ in names]),
            np.array([found[name].simulation for _, name in names]),
            np.array([found[name].standard_error for _, name in names]),
            colour=COLOURS[1],
            label="simulation",
        )
        ax.set_xlabel(r"projection $\kappa=\langle v,x\rangle$")
        ax.set_ylabel("mean predictor")
        ax.legend()
    return figure
