"""The page of a verdict on a conjecture: the claim, the box, and what is proved."""

from __future__ import annotations

from importlib.metadata import version
from io import StringIO
from typing import Any

import jinja2
import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from detequiv.figures.style import COLOURS, STYLE
from detequiv.formats.problem_file import dump
from detequiv.formats.quantities import PARAMETER_LABELS
from detequiv.numerics.discovery import Verdict

__all__ = ["draw_box", "page"]

MEANING = {
    "proved": "The claim holds for every point of the closed box. This is a theorem "
    "about the equations of the limit: every step is enclosed in exact arithmetic.",
    "counterexample": "The claim is false at the point below: a theorem about the "
    "equations of the limit at that point.",
    "undecided": "Neither a proof nor a counterexample was found within the budget.",
}
TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ verdict.verdict }}: {{ verdict.claim }}</title>
<style>
body { font: 16px/1.55 system-ui, sans-serif; color: #222; max-width: 50rem;
  margin: 2.5rem auto; padding: 0 1.2rem; }
pre { background: #f6f6f6; padding: .8rem 1rem; overflow-x: auto; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; }
</style>
</head>
<body>
<h1>{{ verdict.verdict }}</h1>
<pre>{{ verdict.claim }}</pre>
<p>{{ meaning }} {{ verdict.remark }}</p>
<h2>Where</h2>
<ul>{% for name, ends in verdict.over.items() %}
<li>{{ name }} from {{ ends[0] }} to {{ ends[1] }}</li>{% endfor %}</ul>
<figure>{{ figure|safe }}</figure>
<p>{{ "%.1f"|format(100 * verdict.proved_fraction) }} percent of the box is proved, by
{{ verdict.proved|length }} boxes; {{ verdict.open|length }} are left.</p>
{% if verdict.counterexample %}<h2>Counterexample</h2>
<ul>{% for name, value in verdict.counterexample.items() %}
<li>{{ name }} = {{ value }}</li>{% endfor %}
{% for name, ball in verdict.values.items() %}
<li>{{ name }} = {{ ball }}</li>{% endfor %}</ul>{% endif %}
{% for name, text in problems.items() %}
<h2>Problem {{ name }}</h2><pre>{{ text }}</pre>{% endfor %}
<p>detequiv {{ version }}, {{ "%.1f"|format(verdict.seconds) }} s.</p>
</body>
</html>
"""


def page(verdict: Verdict) -> str:
    """Write the page as one HTML text that needs nothing else."""
    picture = StringIO()
    with mpl.rc_context({**STYLE, "svg.fonttype": "path"}):
        draw_box(verdict).savefig(picture, format="svg", metadata={"Date": None})
    text = picture.getvalue()
    environment = jinja2.Environment(autoescape=True, trim_blocks=True)
    return environment.from_string(TEMPLATE).render(
        verdict=verdict,
        meaning=MEANING[verdict.verdict],
        figure=text[text.index("<svg") :],
        problems={name: dump(p) for name, p in verdict.problems.items()},
        version=version("detequiv"),
    )


def draw_box(verdict: Verdict) -> Figure:
    """Draw the box by its first two parameters: proved, open, and a counterexample."""
    names = list(verdict.over)[:2]
    with mpl.rc_context(STYLE):
        flat = len(names) == 1
        figure = Figure(figsize=(6.4, 1.5 if flat else 4.4), layout="constrained")
        ax = figure.subplots()
        for boxes, colour, label in (
            (verdict.proved, COLOURS[2], "proved"),
            (verdict.open, COLOURS[4], "open"),
        ):
            for k, box in enumerate(boxes):
                corner, size = zip(*(_side(box, n) for n in names), strict=True)
                if flat:
                    corner, size = (*corner, 0.0), (*size, 1.0)
                ax.add_patch(
                    Rectangle(
                        corner,
                        *size,
                        facecolor=colour,
                        edgecolor="white",
                        linewidth=0.4,
                        label=label if not k else None,
                    )
                )
        if verdict.counterexample is not None:
            place = [float(verdict.counterexample[n]) for n in names]
            ax.plot(
                *(place if not flat else [*place, 0.5]),
                "X",
                color=COLOURS[1],
                label="counterexample",
            )
        _axes(ax, verdict, names)
    return figure


def _side(box: Any, name: str) -> tuple[float, float]:
    low, high = map(float, box[name])
    return low, high - low


def _axes(ax: Any, verdict: Verdict, names: list[str]) -> None:
    for name, axis in zip(names, "xy", strict=False):
        low, high = map(float, verdict.over[name])
        scale = "log" if low > 0 and high > 5 * low else "linear"
        ax.set(**{f"{axis}scale": scale, f"{axis}lim": (low, high)})
        ax.set(**{f"{axis}label": PARAMETER_LABELS.get(name, name)})
    if len(names) == 1:
        ax.set(ylim=(0, 1), yticks=[])
    ax.legend(loc="upper left", bbox_to_anchor=(0, 1.02), ncols=3)
