r"""Derivations on paper: sections of prose and formulas, as LaTeX or as plain text.

A formula carries both spellings. What SymPy derived is spelled by SymPy, with the
names of the theory for its symbols; formulas in matrix notation are spelled by hand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from re import findall, sub
from textwrap import fill

import sympy as sp
from sympy.printing.latex import LatexPrinter

from detequiv.theory.gaussian import GaussianMean

__all__ = [
    "Formula",
    "Section",
    "as_latex",
    "as_notebook",
    "as_text",
    "displayed",
    "equation",
    "number",
    "short",
    "tex",
]

WIDEST = 120  # characters of plain text that still fit on a line of the page
WIDTH = 79
ROW = "\\\\\n"  # between the rows of a display
LONGEST = 60  # characters of an exact number that are not too many on paper

PREAMBLE = r"""\documentclass[11pt]{article}
\usepackage{amsmath, amssymb}
\usepackage[margin=25mm]{geometry}
\allowdisplaybreaks
\setlength{\jot}{8pt}
\newcommand{\E}{\mathbb{E}}
\newcommand{\tr}{\operatorname{tr}}
\newcommand{\diag}{\operatorname{diag}}
\newtheorem{proposition}{Proposition}
"""


@dataclass(frozen=True)
class Formula:
    """One displayed formula in two spellings.

    Attributes
    ----------
    latex : str
        Without the delimiters of a display; ``&`` marks where lines are aligned.
    text : str
        The same in plain text.
    """

    latex: str
    text: str


@dataclass(frozen=True)
class Section:
    """A title, then paragraphs and formulas in the order of reading.

    A paragraph may have symbols in it as ``$...$``, spelled by their names alone.

    Attributes
    ----------
    title : str
    body : sequence of str or Formula
    proposition : bool
        Whether it is a statement, to be set as such.
    """

    title: str
    body: Sequence[str | Formula]
    proposition: bool = False


def tex(expression: sp.Expr, names: Mapping[sp.Symbol, str]) -> str:
    """Spell an expression in LaTeX, with names for its symbols."""
    printer = LatexPrinter({"symbol_names": dict(names)})
    return str(printer.doprint(expression))


def short(value: sp.Expr) -> sp.Expr:
    """Spell a number exactly where that is short, else by twelve digits."""
    if value.has(GaussianMean):
        return value.evalf(12)
    exact = value if len(sp.sstr(value)) <= LONGEST else sp.simplify(value)
    return exact if len(sp.sstr(exact)) <= LONGEST else value.evalf(12)


def number(value: sp.Expr) -> Formula:
    """Write ``= value`` or, where it is rounded, that it is nearly so."""
    spelled = short(value)
    rounded = spelled.has(sp.Float) and not value.has(sp.Float)
    latex, text = (r"\approx", "~") if rounded else ("=", "=")
    return Formula(f" {latex} {tex(spelled, {})}", f"{text} {sp.sstr(spelled)}")


def equation(
    left: Formula, right: sp.Expr, names: Mapping[sp.Symbol, str] | None = None
) -> Formula:
    """Set a name equal to an expression, on several lines if it is a long sum."""
    names, text = names or {}, sp.sstr(right)
    terms = [
        short for term in right.as_ordered_terms() for short in _not_too_wide(term)
    ]
    if len(text) <= WIDEST or len(terms) == 1:
        latex = tex(right, names)
    else:
        latex = _lines([tex(term, names) for term in terms], [*map(sp.sstr, terms)])
    return Formula(f"{left.latex} &= {latex}", f"{left.text} = {text}")


def _not_too_wide(term: sp.Expr) -> list[sp.Expr]:
    """Multiply out a term that is wider than a line."""
    if len(sp.sstr(term)) <= WIDEST:
        return [term]
    return list(sp.expand_mul(term, deep=False).as_ordered_terms())


def _lines(terms: list[str], plain: list[str]) -> str:
    """Break a sum between its terms so that each line is at most `WIDEST` wide."""
    lines, filled = terms[0], len(plain[0])
    for term, spelled in zip(terms[1:], plain[1:], strict=True):
        filled += len(spelled)
        if filled > WIDEST:
            lines, filled = lines + "\\\\\n&\\quad ", len(spelled)
        lines += term if term.startswith("-") else f" + {term}"
    return lines


def _plain(prose: str) -> str:
    r"""Take the mathematics out of a paragraph: its symbols become their names.

    Examples
    --------
    >>> _plain(r"The source $\varepsilon$ is not $\lambda$.")
    'The source epsilon is not lambda.'
    """
    prose = prose.replace(r"\varepsilon", "epsilon").replace(r"^\top", "^T")
    return sub(r"[$\\]", "", prose)


REFERENCES = {
    "dandi2024": "Y. Dandi, L. Pesce, H. Cui, F. Krzakala, Y. Lu, B. Loureiro, A "
    "random matrix theory perspective on the spectrum of learned features and "
    "asymptotic generalization capabilities, arXiv:2410.18938 (2024)",
    "pennington2017": "J. Pennington, P. Worah, Nonlinear random matrix theory for "
    "deep learning, NeurIPS (2017)",
    "mei2019": "S. Mei, A. Montanari, The generalization error of random features "
    "regression, arXiv:1908.05355 (2019)",
    "adlam2020": "B. Adlam, J. Pennington, The neural tangent kernel in high "
    "dimensions, arXiv:2008.06786 (2020)",
}


def as_latex(
    title: str,
    sections: Iterable[Section],
    references: Sequence[str] = (),
    *,
    body: bool = False,
) -> str:
    """Write a document that compiles by itself (LaTeX with amsmath).

    Equations are numbered; the second of a section "Energy" has the label
    ``eq:energy-2``, the section itself ``sec:energy``.

    Parameters
    ----------
    title : str
    sections : iterable of Section
    references : sequence of str
        Keys of `REFERENCES`, for a list at the end.
    body : bool
        Leave out what is around the sections, for a document of one's own, which
        needs amsmath, and of the preamble the commands and the proposition.
    """
    parts = (
        []
        if body
        else [
            PREAMBLE,
            f"\\title{{{title}}}\n\\author{{}}\n\\date{{}}\n\\begin{{document}}\n\\maketitle",
        ]
    )
    for section in sections:
        place = section.title.lower().replace(" ", "-")
        parts.append(f"\n\\section{{{section.title}}} \\label{{sec:{place}}}")
        if section.proposition:
            parts.append("\\begin{proposition}")
        parts += _displayed(section, place)
        if section.proposition:
            parts.append("\\end{proposition}")
    if references and not body:
        parts.append("\n\\begin{thebibliography}{9}")
        parts += [f"\\bibitem{{{key}}} {REFERENCES[key]}." for key in references]
        parts.append("\\end{thebibliography}")
    return "\n".join([*parts, *([] if body else ["\\end{document}"]), ""])


def _displayed(section: Section, place: str) -> list[str]:
    """Paragraphs, and formulas gathered in displays."""
    parts: list[str] = []
    formulas: list[str] = []
    count = 0
    for item in (*section.body, ""):
        if isinstance(item, Formula):
            count += 1
            rows = item.latex.replace(ROW, rf" \notag{ROW}")
            formulas.append(rf"{rows} \label{{eq:{place}-{count}}}")
            continue
        if formulas:
            inside = ROW.join(formulas)
            parts.append(f"\\begin{{align}}\n{inside}\n\\end{{align}}")
        formulas = []
        if item:
            parts.append(item)
    return parts


def as_notebook(title: str, sections: Iterable[Section]) -> str:
    """Write HTML whose formulas a notebook sets: without macros, between dollars."""
    parts = [f"<h3>{escape(title)}</h3>"]
    for section in sections:
        parts.append(f"<h4>{escape(section.title)}</h4>")
        for item in section.body:
            if isinstance(item, Formula):
                parts.append(escape(displayed(Section("", [item])), quote=False))
            else:
                parts.append(f"<p>{escape(_without_macros(item), quote=False)}</p>")
    return "\n".join(parts)


def displayed(section: Section) -> str:
    """Write the formulas of a section as one display between dollars."""
    rows = ROW.join(i.latex for i in section.body if isinstance(i, Formula))
    body = _without_macros(rows)
    return f"$$\\begin{{aligned}}\n{body}\n\\end{{aligned}}$$"


def _without_macros(latex: str) -> str:
    """Put in what the macros of the preamble stand for."""
    for name, meaning in findall(r"newcommand\{\\(\w+)\}\{(.*)\}", PREAMBLE):
        latex = sub(rf"\\{name}(?![a-zA-Z])", meaning.replace("\\", r"\\"), latex)
    return latex


def as_text(title: str, sections: Iterable[Section]) -> str:
    """Write the same in plain text."""
    parts = [title, "=" * len(title)]
    for section in sections:
        parts += ["", section.title, "-" * len(section.title), ""]
        for item in section.body:
            if isinstance(item, Formula):
                parts += [f"    {line}" for line in item.text.splitlines()]
            else:
                parts += [fill(_plain(item), WIDTH)]
    return "\n".join([*parts, ""])
