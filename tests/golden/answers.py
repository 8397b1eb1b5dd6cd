"""How the library answers the cases of the golden file, as plain data.

An answer is a tree of dictionaries, lists, texts and whole numbers, which must be the
same again, and of numbers with the distance within which they must be found again:
``{"is": "0.789", "within": "2e-15"}``. The distances are those that the library vouches
for; each is told where it is set.
"""

import csv
import inspect
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import mpmath
import numpy as np
from click.testing import CliRunner

import detequiv as de
from detequiv.cli import main

__all__ = ["answer"]

Tree = Any
Tables = dict[str, dict[str, Any]]

QUANTITIES = (
    "generalization_error",
    "training_error",
    "excess_error",
    "readout_norm",
    "ridge_objective",
    "resolvent_trace",
)
# Two results, each as good as is vouched for, may differ by twice that.
TWICE = 2
# A decimal number with a point, by itself.
DECIMAL = re.compile(r"(?<![\w.])-?\d+\.\d+(?:e[+-]?\d+)?(?![\w.])")
RESIDUAL = re.compile(r"(residual of the \w+ equations) \S+")


def answer(kind: str, given: Mapping[str, Any]) -> Tree:
    """Answer one case; an error of the package is an answer too.

    Parameters
    ----------
    kind : str
        Name of one of the functions of `KINDS`.
    given : mapping
        Its arguments.
    """
    try:
        return KINDS[kind](**given)
    except de.DetequivError as error:
        return _refusal(error)


def _refusal(error: de.DetequivError) -> dict[str, str]:
    """Class and text of an error."""
    for public in (de.InputError, de.ConvergenceError):
        if isinstance(error, public):
            return {"error": public.__name__, "says": _says(error)}
    raise error


def _says(error: de.DetequivError) -> str:
    """Text of an error; without the numbers where it tells how far something got.

    These are estimates of errors, which no one vouches for.
    """
    text = str(error)
    if isinstance(error, de.InputError):
        return text
    return re.sub(r"(?<![\w.])-?\d[\d.]*(?:e[+-]?\d+)?", "#", text)


# Numbers and how near they must be found again.


def number(value: Any, within: Any, digits: int = 17) -> Tree:
    """Write a number with the distance within which it must be found again.

    Infinite and missing ones are texts, to be found exactly.

    Parameters
    ----------
    value : float or mpf
        The number.
    within : float or mpf
        The distance.
    digits : int
        Significant digits to write; those of float64 by default.
    """
    if not mpmath.isfinite(value):
        return mpmath.nstr(value)
    with mpmath.workdps(digits + 20):  # at which a number keeps its digits
        text = str(mpmath.nstr(mpmath.mpf(value), digits))
    return {"is": text, "within": _brief(within)}


def _brief(value: Any) -> str:
    """Write a distance."""
    return str(mpmath.nstr(mpmath.mpf(value), 3))


def vouched(value: Any, digits: int, size: Any = 1) -> Tree:
    """Write a number with so many digits vouched for.

    The solver counts them relative to the number or, of one that all but vanishes,
    to the root of error times size: it is zero to twice the digits then. Three digits
    more are written, so that writing adds nothing.
    """
    with mpmath.workdps(digits + 20):
        last = mpmath.mpf(10) ** -digits
        within = TWICE * max(last * abs(mpmath.mpf(value)), last**2 * mpmath.mpf(size))
    return number(value, within, digits + 3)


def printed(text: str, digits: int, estimated: bool = False) -> Tree:
    """Write a number that was printed with the digits vouched for.

    Printing rounds: besides what `vouched` allows, one unit of the last place; of the
    last but one where the count of digits is an estimate, which may move by one
    (`_counted`). A whole number, or an infinite one, is a text.
    """
    if "." not in text:  # a whole number, or infinite
        return text
    with mpmath.workdps(digits + 20):
        value = mpmath.mpf(text)
        mantissa, _, exponent = text.partition("e")
        place = int(exponent or 0) - len(mantissa.partition(".")[2]) + estimated
        last = mpmath.mpf(10) ** (estimated - digits)
        within = mpmath.mpf(10) ** place + TWICE * last * abs(value)
        return {"is": text, "within": _brief(within)}


def floats(values: Any, relative: float, absolute: Any = 0.0) -> Tree:
    """Write an array of float64 numbers, nested lists of its shape."""
    array, least = np.asarray(values, float), np.asarray(absolute, float)
    least = np.broadcast_to(least, array.shape)
    if array.ndim == 0:
        return number(float(array), relative * abs(float(array)) + float(least))
    return [floats(v, relative, w) for v, w in zip(array, least, strict=True)]


def _coupling(rows: Sequence[Sequence[Any]], digits: int) -> Tree:
    """Write the matrix A, whose entries have digits or are zero to so many.

    An entry below ``10^-digits sqrt(A_qq A_rr)`` is zero to that accuracy.
    """
    written = []
    for q, row in enumerate(rows):
        line = []
        for r, entry in enumerate(row):
            if not mpmath.isfinite(entry):
                line.append(number(entry, 0))
                continue
            with mpmath.workdps(digits + 20):
                last = mpmath.mpf(10) ** -digits
                size = mpmath.sqrt(rows[q][q] * rows[r][r])
                vanishes = abs(entry) < TWICE * last * size
                within = TWICE * last * (size if vanishes else abs(entry))
            line.append(number(entry, within, digits + 3))
        written.append(line)
    return written


# The kinds of cases.


def _problem(tables: Tables) -> de.Problem:
    """Make a problem of plain data."""
    return de.Problem.from_tables(tables)


def _solve(tables: Tables, digits: Any, certified: bool = False) -> Tree:
    """Everything that a solution has."""
    problem = _problem(tables)
    point = de.solve(problem, digits=digits)
    labels = 1 + point.generalization_error
    # The function that the coefficients make is unique, and is evaluated in float64;
    # its terms may cancel. It is one of the labels' size, or smaller.
    learned = de.learned_function(point, [-2.0, -1.0, 0.0, 0.5, 2.0])
    largest = float(np.max(np.abs([float(v) for v in (*point.m, *point.t)])))
    rounding = 1e-14 * largest + 1e-14 * float(labels)
    # After a step on a batch the coefficients are those of float64, at a minimum.
    root = 10.0 ** (-digits / 2) if problem.on_batch else 1e-9
    scale = root * float(np.max(np.abs(learned)))
    tree = {
        "quantities": {
            name: vouched(getattr(point, name), digits, labels) for name in QUANTITIES
        },
        "g": [vouched(v, digits) for v in point.g],
        "A": _coupling(point.A, digits),
        "m": _coefficients(point.m, digits, (*point.m, *point.t)),
        "t": _coefficients(point.t, digits, (*point.m, *point.t)),
        "learned": floats(learned, 0.0, scale + rounding),
        "digits": point.digits,
        "equations": point.equations,
        "same problem": point.problem == problem,
    }
    if certified:
        proof = de.certify(problem, digits=digits, solution=point)
        tree["certificate"] = _certificate(proof)
    return tree


def _coefficients(values: Sequence[Any], digits: int, every: Sequence[Any]) -> Tree:
    """Write m or t: half of the digits asked for, relative to the largest of both.

    They are not vouched for: where functions are nearly dependent, the error of a
    coefficient is that of a quotient of two small numbers. Where all vanish, they are
    numbers of the size of rounding.
    """
    with mpmath.workdps(digits + 20):
        half = mpmath.mpf(10) ** (-mpmath.mpf(digits) / 2)
        within = TWICE * half * max([half, *map(abs, every)])
    return [number(v, within, digits) for v in values]


def _curve(
    tables: Tables,
    vary: list[tuple[str, Any]],
    digits: int | None = None,
    simulated: Mapping[str, int] | None = None,
) -> Tree:
    """Arrays, table and dataset of a curve; of an incomplete one, its failure too."""
    tree: dict[str, Any] = {}
    try:
        curve = de.curve(_problem(tables), vary=dict(vary), digits=digits)
    except de.ConvergenceError as error:
        tree["failure"] = _says(error)
        curve = error.curve  # type: ignore[attr-defined]
    if simulated is not None:
        curve = curve.simulate(
            dimension=simulated["dimension"],
            repetitions=simulated["repetitions"],
            rng=simulated["seed"],
        )
    stated = curve.values("digits")
    tree["digits"] = _counted(stated.ravel(), digits)
    tree["shape"] = list(curve.shape)
    tree["places"] = [curve.place(i) for i in range(stated.size)]
    tree["values"] = {
        name: [
            vouched(v, int(d)) if np.isfinite(v) else str(v)
            for v, d in zip(
                curve.values(name).ravel().tolist(), stated.ravel(), strict=True
            )
        ]
        for name in QUANTITIES
    }
    tree["failures"] = [
        None if point.failure is None else _says(point.failure)
        for point in curve.points
    ]
    if simulated is not None:
        tree["simulated"] = {
            name: [_drawn(v) for v in curve.simulated(name)] for name in QUANTITIES
        }
    tree["csv"] = _table(curve.to_csv() or "", digits)
    data = curve.to_xarray()
    tree["dataset"] = {
        "variables": {
            str(name): [list(map(str, variable.dims)), _texts(variable.attrs)]
            for name, variable in data.variables.items()
        },
        "attributes": _texts(
            {k: v for k, v in data.attrs.items() if k != "detequiv_version"}
        ),
    }
    return tree


def _counted(values: Iterable[Any], asked: int | None) -> list[Tree]:
    """Digits of points; what float64 leaves is an estimate, and may move by one."""
    if asked is not None:
        return [int(v) for v in values]
    return [number(int(v), 1) if v else 0 for v in values]


def _drawn(values: Any) -> Tree:
    """Draws in float64: ridge regressions lose some digits of sixteen."""
    return floats(np.ravel(values), 1e-9)


def _texts(values: Mapping[Any, Any]) -> dict[str, str]:
    return {str(k): str(v) for k, v in values.items()}


def _table(text: str, asked: int | None = None) -> Tree:
    """Read a table: parameters are texts, the others numbers with their digits."""
    header, *rows = csv.reader(io.StringIO(text))
    table = []
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        digits = int(cells.get("digits", 0))
        line = []
        for name, cell in cells.items():
            if name in QUANTITIES and cell:
                line.append(printed(cell, digits, asked is None))
            elif name.endswith("_at_width"):
                line.append(printed(cell, 10))
            elif name == "digits":
                line.append(_counted([digits], asked)[0])
            elif name.endswith(("_simulated", "_standard_error")):
                line.append(_drawn([float(cell)])[0])
            elif header == ["x", "density"]:
                line.append(_density(cell))
            else:
                line.append(cell)
        table.append(line)
    return {"header": header, "rows": table}


def _density(cell: str) -> Tree:
    """A cell of a table of the density.

    The places are those of float64, written with 12 digits. The density has all its
    digits at the place written.
    """
    return number(mpmath.mpf(cell), 1e-9 * abs(float(cell)), 15)


def _spectrum(
    tables: Tables, scale: str = "n", digits: int = 15, width: int = 1000
) -> Tree:
    """Ends, atom, outliers, density and transform of a law."""
    law = de.spectrum(_problem(tables), scale=scale, digits=digits, width=width)
    support = law.support
    tree: dict[str, Any] = {
        "scale": law.scale,
        "atom": law.atom_at_zero,
        "support": [
            [[vouched(end.value, digits), end.kind] for end in (one.lower, one.upper)]
            for one in support
        ],
    }
    try:
        tree["outliers"] = [
            {
                # two rules agree on 10 digits
                "value": number(one.value, TWICE * 1e-10 * abs(one.value)),
                "order": one.order,
                "width": one.width,
                "multiplicity": one.multiplicity,
                # and on 8 decimals
                "means": floats(one.mean_overlaps, 0.0, TWICE * 1e-8),
                "latents": floats(one.latent_overlaps, 0.0, TWICE * 1e-8),
            }
            for one in law.outliers
        ]
    except de.ConvergenceError as error:
        tree["outliers"] = _says(error)
    grid = law.grid(9)
    # ends of a grid are found on a fixed scan, and are those of float64
    tree["grid"] = floats(grid, 1e-9)
    # of the places that are evaluated, exactly: no more digits than are the same again
    places = [float(f"{x:.6g}") for x in grid[1:-1]]
    transform = law.stieltjes(places)
    # an absolute error of 1e-12 |s| is stated, as an order of magnitude: ten times that
    stated = 1e-11 * np.abs(transform)
    tree["density"] = floats(law.density(places), 1e-9, stated)
    z = np.array([complex(x, 0.1 * x) for x in places[::3]] + [complex(-places[2])])
    off = law.stieltjes(z)
    stated = 1e-11 * np.abs(off)
    tree["transform"] = [floats(off.real, 0.0, stated), floats(off.imag, 0.0, stated)]
    place = f"{places[2]:.6g}"
    tree["precise density"] = vouched(law.density(place, digits=20), 20)
    precise = law.stieltjes(mpmath.mpc(place, "0.25"), digits=20)
    # digits of a transform are relative to its modulus
    within = TWICE * mpmath.mpf(10) ** -20 * abs(precise)
    tree["precise transform"] = [
        number(part, within, 24) for part in (precise.real, precise.imag)
    ]
    eigenvalues = law.simulate(dimension=16, rng=1)
    # eigenvalues have the absolute error of the largest
    tree["simulated"] = floats(eigenvalues, 1e-9, 1e-13 * eigenvalues[-1])
    tree["simulated zeros"] = int(np.sum(eigenvalues == 0))
    return tree


def _threshold(
    tables: Tables,
    low: Any,
    high: Any,
    width: int = 1000,
    group: int | None = None,
    digits: int = 10,
) -> Tree:
    """Where an outlier leaves the bulk."""
    law = de.spectrum(_problem(tables), width=width)
    found = law.threshold(low, high, group=group, digits=digits)
    return [vouched(v, digits) for v in (found.scale, found.value)]


def _certify(tables: Tables, digits: int) -> Tree:
    """Balls around everything."""
    return _certificate(de.certify(_problem(tables), digits=digits))


def _certificate(certificate: de.Certificate) -> Tree:
    """Write a certificate.

    Two balls with one number in common have centres no farther apart than their radii
    together, each of which is at most ``10^-digits`` times the number.
    """
    digits = certificate.digits

    def ball(one: Any) -> Tree:
        # a bound of rounding depends on the order of operations: its size counts
        return [
            vouched(one.midpoint, digits),
            number(one.radius, one.radius / 2, 3),
        ]

    return {
        "balls": {name: ball(one) for name, one in certificate.balls.items()},
        "g": [ball(one) for one in certificate.g],
        "A": [[ball(one) for one in row] for row in certificate.A],
        "digits": digits,
        "nodes": certificate.nodes,
    }


def _compare(first: Tables, second: Tables, quantity: str, digits: int) -> Tree:
    """Which of two is less."""
    return de.compare(
        _problem(first), _problem(second), quantity=quantity, digits=digits
    )


def _derivatives(tables: Tables, name: str, digits: int) -> Tree:
    """Derivatives of all quantities by one number."""
    problem = _problem(tables)
    slopes = de.derivatives(problem, name, digits=digits)
    # one that vanishes has its digits relative to the quantity over the number, which
    # is of the order of the quantity in all cases
    values = de.solve(problem)
    tree = {}
    for quantity, slope in slopes.items():
        size = abs(getattr(values, quantity))
        size = size if mpmath.isfinite(size) else 1
        tree[quantity] = vouched(slope, digits, size)
    return tree


def _optimal_penalty(tables: Tables, digits: int) -> Tree:
    """The best penalty, and the error there."""
    best = de.optimal_penalty(_problem(tables), digits=digits)
    with mpmath.workdps(digits + 20):
        exact = best.problem.ridge.penalty
        same = mpmath.mpf(exact.p) / exact.q == best.penalty
    return {
        "penalty": vouched(best.penalty, digits),
        "generalization_error": vouched(best.generalization_error, digits),
        "digits": best.digits,
        "same problem": bool(same),
    }


def _diagnose(tables: Tables, digits: int) -> Tree:
    """Parts of an error: digits are relative to the variance of the labels."""
    parts = de.diagnose(_problem(tables), digits=digits)
    with mpmath.workdps(digits + 20):
        labels = parts.noise + parts.unreachable + abs(parts.estimation)
        within = TWICE * mpmath.mpf(10) ** -digits * labels
    return {
        **{
            name: vouched(getattr(parts, name), digits)
            for name in (
                "degrees_of_freedom",
                "generalized_cross_validation",
                "generalization_error",
                "noise",
            )
        },
        "unreachable": number(parts.unreachable, within, digits + 3),
        "estimation": number(parts.estimation, within, digits + 3),
        "digits": parts.digits,
    }


def _reach(tables: Tables) -> Tree:
    """Least errors; settled to 1e-10 of the target's second moment and one."""
    found = de.reach(_problem(tables))
    names = ("constant", "linear", "means", "features")
    within = TWICE * 1e-10 * (1 + found.constant)
    return {name: number(getattr(found, name), within) for name in names}


def _learned_function(tables: Tables, kappa: Any) -> Tree:
    """The learned function on an array of projections."""
    values = de.learned_function(de.solve(_problem(tables)), kappa)
    # float64, whose terms may cancel
    return floats(values, 1e-9, 1e-11 * np.max(np.abs(values)))


def _derive(
    form: str,
    groups: int | None = None,
    tables: Tables | None = None,
    closed_forms: bool = False,
) -> Tree:
    """The equations in one of their forms."""
    problem = None if tables is None else _problem(tables)
    derivation = de.derive(problem, groups=groups)
    match form:
        case "text":
            return derivation.text(closed_forms=closed_forms)
        case "latex":
            return derivation.latex(closed_forms=closed_forms)
        case "python":
            return derivation.python()
    return {
        "unknowns": _texts(derivation.unknowns),
        "potential": str(derivation.potential),
        "energy": str(derivation.energy),
        "residuals": list(map(str, derivation.residuals)),
        "jacobian": str(derivation.jacobian),
        "errors": _texts(derivation.errors),
        "totals": _texts(derivation.total_derivatives),
    }


def _load(text: str, values: Mapping[str, Any]) -> Tree:
    """The exact numbers and functions of a problem file."""
    with TemporaryDirectory() as folder, chdir(folder):
        Path("problem.toml").write_text(text, "utf-8")
        problem = de.load("problem.toml").with_values(values)
    return {name: _texts(table) for name, table in problem.tables().items()}


def _validate(tables: Tables, seed: int) -> Tree:
    """A trial too short for more than the fewest draws, whose number is fixed."""
    report = de.validate(_problem(tables), budget=1e-3, rng=seed)
    return _report(report.to_dict())


def _report(said: dict[str, Any]) -> Tree:
    """Write a report without the time that it took."""
    said.pop("seconds")
    for one in said["quantities"]:
        one["theory"] = floats(one["theory"], 1e-9, 1e-9)
        # draws in float64, less theory and carried to the limit: what cancels costs
        # some digits more than in a draw
        for name in ("simulation", "standard_error", "z", "detectable"):
            one[name] = floats(one[name], 1e-6, 1e-6)
    return said


def _command(arguments: list[str], files: Mapping[str, str], reads: str) -> Tree:
    """Run the command line in a folder of its own, with some files."""
    # a console of known size, that is not a terminal
    plain = {"COLUMNS": "80", "FORCE_COLOR": None, "NO_COLOR": None}
    runner = CliRunner(env=plain)
    # names without a folder, which messages repeat
    with TemporaryDirectory() as folder, chdir(folder):
        for name, text in files.items():
            Path(name).write_text(text, "utf-8")
        result = runner.invoke(main, arguments, prog_name="detequiv")
        written = {
            path.name: _table(path.read_text("utf-8"))
            for path in Path().iterdir()
            if path.name not in files
        }
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    status, out, err = result.exit_code, result.stdout, result.stderr
    if status == 3:
        err = re.sub(r"\d[\d.e+-]*", "#", err)  # how far it got, an estimate
    return {
        "status": status,
        "out": READERS[reads](out) if out else out,
        "err": err,
        "files": written,
    }


def _text(text: str) -> Tree:
    """Read a text for people: words and layout are exact, numbers as printed."""
    text = RESIDUAL.sub(r"\1 -", text)  # rounding
    return {
        "words": DECIMAL.sub("#", text),
        "numbers": [printed(t, _significant(t)) for t in DECIMAL.findall(text)],
    }


def _significant(decimal: str) -> int:
    """Count the significant digits of a decimal number."""
    return max(1, len(re.sub(r"e.*|\D", "", decimal).lstrip("0")))


def _json(text: str) -> Tree:
    """Read a JSON object: its keys are exact, its numbers as the contract has them."""
    said: dict[str, Any] = json.loads(text)
    if "verdict" in said:
        return _report(said)
    if "support" in said:
        return _law(said)
    digits = said["digits"]
    del said["residual"]  # rounding
    with mpmath.workdps(digits + 20):
        coupling = [list(map(mpmath.mpf, row)) for row in said["A"]]
        learned = {k: list(map(mpmath.mpf, v)) for k, v in said["learned"].items()}
    return said | {
        **{name: printed(said[name], digits) for name in QUANTITIES},
        "g": [printed(text, digits) for text in said["g"]],
        # one digit less, for they are rounded
        "A": _coupling(coupling, digits - 1),
        "learned": {k: _coefficients(v, digits - 1, v) for k, v in learned.items()},
    }


def _law(said: dict[str, Any]) -> Tree:
    """Read the JSON of a spectrum."""
    for name in ("x", "density"):
        said[name] = [_density(text) for text in said[name]]
    if "eigenvalues" in said:
        values = list(map(float, said["eigenvalues"]))
        said["eigenvalues"] = floats(values, 1e-11, 1e-13 * values[-1])
    for one in said["outliers"] or []:
        one["value"] = printed(one["value"], 10)
        for name in ("mean_overlaps", "latent_overlaps"):
            one[name] = floats(list(map(float, one[name])), 0.0, TWICE * 1e-8)
    for interval in said["support"]:
        for end in interval.values():
            end["value"] = printed(end["value"], _significant(end["value"]))
    return said


READERS: Mapping[str, Callable[[str], Tree]] = {
    "plain": str,
    "text": _text,
    "json": _json,
    "csv": _table,
}


def _parameters(function: Callable[..., Any]) -> dict[str, str]:
    """Kind and default of each parameter."""
    return {
        name: f"{one.kind.description}, {_default(one)}"
        for name, one in inspect.signature(function).parameters.items()
    }


def _default(parameter: inspect.Parameter) -> str:
    """Default of a parameter."""
    if parameter.default is inspect.Parameter.empty:
        return "required"
    return repr(parameter.default)


def _options(command: str) -> Tree:
    """Arguments and options of a command."""
    context = click.Context(main)
    found = main.get_command(context, command)
    assert found is not None
    return [
        {
            "names": parameter.opts,
            "required": parameter.required,
            "multiple": parameter.multiple,
            "default": str(parameter.to_info_dict()["default"]),
        }
        for parameter in found.params
    ]


KINDS: Mapping[str, Callable[..., Tree]] = {
    "certify": _certify,
    "command": _command,
    "compare": _compare,
    "curve": _curve,
    "derivatives": _derivatives,
    "derive": _derive,
    "diagnose": _diagnose,
    "learned_function": _learned_function,
    "load": _load,
    "optimal_penalty": _optimal_penalty,
    "options": _options,
    "reach": _reach,
    "solve": _solve,
    "spectrum": _spectrum,
    "threshold": _threshold,
    "validate": _validate,
}
