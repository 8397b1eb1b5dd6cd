"""The page that shows and explains the demonstration's figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

import detequiv
from detequiv.demo.size import Size
from detequiv.formats.problem_file import dump
from detequiv.theory.problem import Problem

__all__ = ["write_page"]

PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What one gradient step buys</title>
<style>
  body { font: 17px/1.55 system-ui, sans-serif; color: #222; max-width: 46rem;
         margin: 2.5rem auto; padding: 0 1rem; }
  h1, h2 { line-height: 1.2; }
  h2 { margin-top: 2.5rem; }
  figure { margin: 1rem 0; }
  figure svg { width: 100%; height: auto; }
  pre { background: #f5f5f5; padding: .8rem 1rem; overflow-x: auto; font-size: 14px; }
  footer { margin-top: 3rem; color: #666; font-size: 14px; }
</style>
<h1>What one gradient step buys</h1>
<p>A two-layer network learns in two moves: one large gradient step on the first layer,
then ridge regression on the second. The step adds to each unit's random weights a
spike <i>u v</i> along the target's direction <i>v</i>; the size <i>u</i> depends on
the unit's initial readout, which is drawn from a small vocabulary. When input
dimension <i>d</i>, samples <i>n</i> and units <i>p</i> grow together, the test error
becomes deterministic. Lines on this page are theory, solved from its equations; points
and histograms are the finite network itself, sampled and fitted.</p>
<pre>{{ summary }}</pre>

<h2>Test error against data</h2>
<figure>{{ figures["learning-curves"] }}</figure>
<p>Lines are the theory of networks of the width simulated, dashed its limit of infinite
width. Error bars are one standard error over {{ size.repetitions }} draws at
<i>d</i> = {{ size.dimension }}. The untrained layer is random features: with a number
of samples proportional to <i>d</i> it learns the linear part of the target, and slowly;
the rest acts as noise. After the step the network may use, for free, one function of
the projection <i>&kappa;</i> = &lang;<i>v</i>, <i>x</i>&rang; for each value of the
vocabulary: the mean feature <i>c</i><sub>0</sub>(<i>&kappa;</i>) of that group of
units. The more values, the better the target is approximated. The numbers:
<a href="learning-curves.csv">simulated points</a>,
<a href="learning-curves-theory.csv">theory lines</a>.</p>

<h2>What was learned</h2>
<figure>{{ figures["learned-function"] }}</figure>
<p>The average of the fitted network over inputs with a given projection on the spike,
at <i>n/d</i> = {{ problem.ridge.samples_per_dim }}. Untrained features see a line; one
vocabulary value bends it; three follow the target.</p>

<h2>The spectrum of the features</h2>
<figure>{{ figures["spectrum"] }}</figure>
<p>Eigenvalues of the empirical covariance &Phi;<sup>T</sup>&Phi;/<i>n</i> of the
features, before and after the step: lines are the limit law, the histogram is one
matrix at <i>d</i> = {{ size.large }}. The bulk changes shape because the spike makes
the features' conditional variance depend on <i>&kappa;</i>, which is shared by all
units. Outliers far to the right are not drawn.</p>

<h2>The problem</h2>
<pre>{{ file }}</pre>
<p>with <code>features.spike</code> one of
{% for spike in cases.values() %}<code>[{{ spike | join(", ") }}]</code>
{{- ", " if not loop.last else "." }}{% endfor %}</p>
<footer>detequiv {{ version }}, seed {{ seed }}. The theory is that of Dandi, Pesce,
Cui, Krzakala, Lu and Loureiro,
<a href="https://arxiv.org/abs/2410.18938">arXiv:2410.18938</a>.</footer>
</html>
"""


def write_page(
    folder: Path,
    problem: Problem,
    cases: Mapping[str, list[int | str]],
    size: Size,
    seed: int,
    summary: str,
) -> None:
    """Write ``index.html`` with the figures of the folder inline."""
    page = Environment(autoescape=True, trim_blocks=True).from_string(PAGE)
    text = page.render(
        figures={file.stem: _inline(file) for file in folder.glob("*.svg")},
        problem=problem,
        cases=cases,
        size=size,
        seed=seed,
        summary=summary,
        file=dump(problem),
        version=detequiv.__version__,
    )
    (folder / "index.html").write_text(text, "utf-8")


def _inline(file: Path) -> Markup:
    """Element of an SVG file, without the file's own header."""
    text = file.read_text("utf-8")
    return Markup(text[text.index("<svg") :])
