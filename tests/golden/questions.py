"""What the golden file asks: cases of all kinds, drawn from fixed seeds.

Every case is plain data, a kind and the arguments of `answers.answer`, so that the
golden file can hold it. Python's own generator draws, whose numbers are the same in
every version.
"""

from collections.abc import Callable, Iterator
from itertools import cycle
from math import log10
from random import Random
from shlex import split
from typing import Any, NamedTuple

__all__ = ["Case", "cases"]

Tables = dict[str, dict[str, Any]]


class Case(NamedTuple):
    """One question.

    Attributes
    ----------
    kind : str
        Name of the function of `answers` that answers it.
    given : dict
        Its arguments, plain data.
    """

    kind: str
    given: dict[str, Any]


# name, largest spike for which features stay of moderate size
CATALOGUE = {
    **dict.fromkeys(
        (
            *("linear", "relu", "abs", "sign", "step", "erf", "tanh", "sigmoid"),
            *("softplus", "silu", "gelu", "sin", "cos", "sech", "sech2", "gaussian"),
        ),
        3.0,
    ),
    **dict.fromkeys(("exp", "sinh", "cosh"), 0.8),
    **dict.fromkeys(("he2", "he3"), 1.5),
}
COMPOSITE = {
    "quartic": "z**4/8 - z/3 + 2",
    "waves": "sin(2*z) + z*cos(z)",
    "bump": "z**2*exp(-2*z**2 + z)",
    "growing gaussian": "exp(z**2/16)",
    "moved erf": "z*erf(z/2 - 1)",
    "wave packet": "exp(-z**2)*cos(3*z)",
    "moved tanh": "tanh(z + 1)",
    "tanh less linear": "tanh(2*z) - z/3",
    "rational": "z/(1 + z**2)",
    "hyperbola": "sqrt(1 + z**2)",
    "logarithm": "log(1 + z**2)",
    "sharp softplus": "softplus(2*z - 1)",
    "tanh squared": "tanh(z)**2",
    "hermite": "He(4, z)/5 + z",
    "gelu and sine": "gelu(z) + sin(z)/2",
    "power": "2**(-z**2)",
}
KINKS = {
    "clipped": "min(max(z, -1), 1)",
    "leaky": "leaky_relu(z, 1/10)",
    "hat": "max(1 - abs(z), 0)",
    "folded": "abs(z**2 - 1)",
    "odd square": "abs(z)*z",
    "moved sign": "sign(z - 1/2)",
    "half parabola": "max(z, 0)**2",
    "tanh and relu": "tanh(z) + relu(z)",
    "half sine": "step(z)*sin(z)",
    "jumping": "max(z - 1, -2) + step(z + 3)*exp(z/2)",
}
TARGETS = (
    *("z", "z + (z**2 - 1)/2", "sin(2*z)", "He(3, z)", "tanh", "relu", "sign"),
    *("z**2 - z/2 + 1", "abs(z - 1/3)", "erf(2*z)", "max(1 - abs(z), 0)", "cos(z)"),
)
SMOOTH = ("z", "z + (z**2 - 1)/2", "sin(2*z)", "z + He(3, z)/4", "tanh", "erf(2*z)")
NOISE = ("0", "1/10", "3/10", "1")
DIGITS = (15, 30, 50)

# The problem of README.md.
BASE: Tables = {
    "features": {"activation": "tanh", "spike": ["3/2", "-4/5"]},
    "target": {"function": "z + (z**2 - 1)/2", "noise": "3/10"},
    "ridge": {"samples_per_dim": 2, "width_per_dim": "3/2", "penalty": "1/20"},
}
NETWORK: Tables = {
    "network": {"activation": "relu", "readout": [1, "-1/2"], "step": 2},
    "target": {"function": "1/2 + z + He(2, z)/2", "noise": "3/10"},
    "ridge": BASE["ridge"],
}


def cases() -> dict[str, Case]:
    """Every case, by its name."""
    found: dict[str, Case] = {}
    for draw in (
        _public,
        _loaded,
        _solved,
        _networks,
        _curves,
        _spectra,
        _certified,
        _derived,
        _derivations,
        _refused,
        _command_line,
        _bad_command_lines,
    ):
        for name, case in draw():
            if name in found:
                raise ValueError(f"two cases are called {name}")
            found[name] = case
    return found


Cases = Iterator[tuple[str, Case]]


def changed(tables: Tables, **changes: Any) -> Tables:
    """Replace entries, named as ``table__key``; None takes one out."""
    copy = {name: dict(table) for name, table in tables.items()}
    for name, value in changes.items():
        table, _, key = name.partition("__")
        if value is None:
            del copy[table][key]
        else:
            copy[table][key] = value
    return copy


def _spread(rng: Random, low: float, high: float) -> str:
    """Draw a number whose logarithm is uniform."""
    return f"{10 ** rng.uniform(log10(low), log10(high)):.3g}"


def _weights(rng: Random, groups: int) -> list[str]:
    """Draw fractions of sum 1."""
    shares = [rng.randint(1, 9) for _ in range(groups)]
    return [f"{share}/{sum(shares)}" for share in shares]


def _ridge(rng: Random, **fixed: Any) -> dict[str, Any]:
    """Draw a ridge regression."""
    drawn = {
        "samples_per_dim": _spread(rng, 0.2, 8),
        "width_per_dim": _spread(rng, 0.2, 8),
        "penalty": _spread(rng, 1e-3, 1e1),
    }
    return drawn | fixed


def _features(
    rng: Random, activation: str, groups: int, largest: float
) -> dict[str, Any]:
    """Draw spikes, zero and repeated ones among them, bulks and weights."""
    spike = [f"{rng.uniform(-largest, largest):.2g}" for _ in range(groups)]
    if groups > 2 and rng.random() < 0.5:
        spike[-1] = "0"
    drawn: dict[str, Any] = {"activation": activation, "spike": spike}
    if rng.random() < 0.5:
        drawn["bulk"] = [f"{rng.uniform(0.4, 1.2):.2g}" for _ in range(groups)]
    if rng.random() < 0.5:
        drawn["weights"] = _weights(rng, groups)
    return drawn


def _target(rng: Random, misaligned: bool) -> dict[str, Any]:
    """Draw a target."""
    drawn = {"function": rng.choice(TARGETS), "noise": rng.choice(NOISE)}
    if misaligned:
        drawn["alignment"] = f"{rng.uniform(-1, 1):.2g}"
    return drawn


def _public() -> Cases:
    """What is called by which name, and with which arguments."""
    for command in ("solve", "curve", "spectrum", "derive", "validate"):
        yield f"public/options/{command}", Case("options", {"command": command})


EXACT_FILE = """
[features]
activation = "2*relu(z - 0.25) + He(2, z)/7"
spike = [1.5, -0.8, "sqrt(2)"]
bulk = [1, "sqrt(2)", 1e-1]
weights = ["1/3", "1/2", "1/6"]

[target]
function = "z + 0.5*(z**2 - 1) + exp(-z**2/3)"
alignment = "-1/sqrt(3)"
noise = "pi/10"

[ridge]
samples_per_dim = 2
width_per_dim = 1.5
penalty = 5e-2
"""
NETWORK_FILE = """
[network]
activation = "gelu"
readout = [1, -0.5]
step = 1.25
weights = [0.25, 0.75]
rows = "gaussian"
batch_per_dim = 20

[target]
function = "z + He(2, z)/2"
noise = 0.3

[ridge]
samples_per_dim = 2
width_per_dim = 1.5
penalty = 0.05
"""


def _loaded() -> Cases:
    """How problem files are read, and values replaced."""
    for name, text, values in (
        ("exact", EXACT_FILE, {}),
        ("network", NETWORK_FILE, {}),
        ("changed", EXACT_FILE, {"ridge.penalty": "1e-3", "target.noise": 0.1}),
        ("fewer groups", NETWORK_FILE, {"network.step": "1/3", "network.rows": "x"}),
        ("not a field", EXACT_FILE, {"ridge.penaltie": 1}),
        ("not a table", EXACT_FILE, {"rigde.penalty": 1}),
        ("no alignment", NETWORK_FILE, {"target.alignment": "1/2"}),
    ):
        yield f"load/{name}", Case("load", {"text": text, "values": values})


def _solved() -> Cases:
    """Points with spiked features."""

    def case(tables: Tables, digits: int) -> Case:
        return Case("solve", {"tables": tables, "digits": digits})

    digits = cycle(DIGITS)
    for round_ in range(3):
        for name, largest in CATALOGUE.items():
            rng = Random(f"catalogue {name} {round_}")
            groups = rng.randint(1, 4)
            tables = {
                "features": _features(rng, name, groups, largest),
                "target": _target(rng, misaligned=rng.random() < 0.5),
                "ridge": _ridge(rng),
            }
            yield f"solve/catalogue/{name}/{round_}", case(tables, next(digits))
    for kind, functions, most in (("composite", COMPOSITE, 3), ("kinks", KINKS, 2)):
        for name, text in functions.items():
            rng = Random(f"{kind} {name}")
            tables = {
                "features": _features(rng, text, rng.randint(1, most), 1.0),
                "target": _target(rng, misaligned=rng.random() < 0.5),
                "ridge": _ridge(rng),
            }
            yield f"solve/{kind}/{name}", case(tables, next(digits))
    for exponent in (-10, -8, -6, -4, -2, 2, 4, 6):
        for name in ("relu", "tanh"):
            rng = Random(f"penalty {name} {exponent}")
            tables = {
                "features": _features(rng, name, rng.randint(1, 3), 2.0),
                "target": _target(rng, misaligned=rng.random() < 0.5),
                "ridge": _ridge(rng, penalty=f"1e{exponent}"),
            }
            yield f"solve/penalty/{name}/1e{exponent}", case(tables, next(digits))
    for k, name in enumerate(("relu", "tanh", "erf", "he2", "sign", "gelu", "cos")):
        rng = Random(f"peak {name}")
        size = _spread(rng, 0.3, 4)
        ridge = _ridge(rng, samples_per_dim=size, width_per_dim=size)
        tables = {
            "features": _features(rng, name, 1 + k % 4, 1.5),
            "target": _target(rng, misaligned=k % 2 == 0),
            "ridge": ridge | {"penalty": f"1e-{1 + k}"},
        }
        yield f"solve/peak/{name}", case(tables, next(digits))
    yield from _ridgeless(case)
    for target in TARGETS:
        rng = Random(f"misaligned {target}")
        tables = {
            "features": _features(rng, rng.choice(("relu", "tanh")), 2, 2.0),
            "target": {"function": target, "noise": "1/5"},
            "ridge": _ridge(rng),
        }
        tables["target"]["alignment"] = rng.choice(("4/5", "-3/5", "0", "1/sqrt(2)"))
        yield f"solve/misaligned/{target}", case(tables, next(digits))
    for groups, name in ((5, "relu"), (6, "tanh"), (8, "relu"), (8, "erf")):
        rng = Random(f"groups {groups} {name}")
        tables = {
            "features": _features(rng, name, groups, 3.0),
            "target": _target(rng, misaligned=False),
            "ridge": _ridge(rng),
        }
        yield f"solve/groups/{groups}/{name}", case(tables, 15 if groups > 6 else 30)
    for name, spike in {
        "repeated": ["1", "1", "-1/2"],
        "opposite": ["1", "-1"],
        "large": ["10", "-6"],
        "none": ["0"],
    }.items():
        for activation in ("relu", "tanh"):
            tables = changed(
                BASE, features__spike=spike, features__activation=activation
            )
            yield f"solve/spikes/{name}/{activation}", case(tables, next(digits))
    certified = {"tables": changed(BASE, features__activation="relu"), "digits": 12}
    yield "solve/certified", Case("solve", certified | {"certified": True})


def _ridgeless(case: Callable[[Tables, int], Case]) -> Cases:
    """No penalty, with more samples than units, and with fewer."""
    for name, activation, spike in (
        ("relu", "relu", ["1/2"]),
        ("relu, two groups", "relu", ["1/2", "-1/4"]),
        ("tanh", "tanh", ["1/4"]),
        ("he3", "he3", ["1/2", "1"]),
        ("softplus", "softplus", ["1/3"]),
    ):
        tables = changed(BASE, features__activation=activation, features__spike=spike)
        tables["target"] = {"function": "z + z**2/2", "alignment": "4/5", "noise": 0.5}
        for side, sizes in (("more", (2, 1)), ("fewer", (1, 2))):
            ridge = {"samples_per_dim": sizes[0], "width_per_dim": sizes[1]}
            tables = {**tables, "ridge": ridge | {"penalty": 0}}
            yield f"solve/ridgeless/{name}/{side} samples", case(tables, 15)


def _networks() -> Cases:
    """Trained networks: rows on the sphere and Gaussian ones, batches."""
    digits = cycle(DIGITS)
    for k, activation in enumerate(
        (
            *("relu", "tanh", "erf", "gelu", "sigmoid", "tanh(z + 1)", "he2", "sin"),
            *("softplus", "relu", "tanh", "z + z**2/3", "abs", "silu", "relu", "tanh"),
        )
    ):
        rng = Random(f"network {k} {activation}")
        groups = 1 + k % 4
        network: dict[str, Any] = {
            "activation": activation,
            "readout": [f"{rng.uniform(-1.2, 1.2):.2g}" for _ in range(groups)],
            "step": f"{rng.uniform(0.4, 1.5):.2g}",
        }
        if k % 3 == 1:
            network["rows"] = "gaussian"
        if k % 4 == 3:
            network["batch_per_dim"] = rng.choice(("5", "20", "80"))
        if k % 2:
            network["weights"] = _weights(rng, groups)
        tables = {
            "network": network,
            "target": {"function": rng.choice(SMOOTH), "noise": rng.choice(NOISE)},
            "ridge": _ridge(rng),
        }
        name = f"network/{k:02}/{activation}"
        asked = next(digits)
        given = {"tables": tables, "digits": 8 if k % 4 == 3 else asked}
        yield f"solve/{name}", Case("solve", given)
    for name, tables in (
        ("documented", NETWORK),
        ("no spike", changed(NETWORK, target__function="He(2, z)")),
        ("gaussian", changed(NETWORK, network__rows="gaussian")),
        ("batch", changed(NETWORK, network__batch_per_dim=20)),
    ):
        given = {"tables": tables, "digits": 8 if name == "batch" else 20}
        yield f"solve/network/{name}", Case("solve", given)


def _curves() -> Cases:
    """Products of parameters, in float64 and to digits, simulated and incomplete."""

    def case(tables: Tables, vary: dict[str, Any], **options: Any) -> Case:
        # a list of pairs, for their order matters
        given = {"tables": tables, "vary": [list(pair) for pair in vary.items()]}
        return Case("curve", given | options)

    samples = {"ridge.samples_per_dim": [f"{k}/4" for k in range(1, 21, 2)]}
    penalties = {"ridge.penalty": ["1e-10", "1e-6", "1e-3", "1/10", 1, 100, "1e6"]}
    relu = changed(BASE, features__activation="relu")
    for name, tables in (
        ("tanh", BASE),
        ("relu", relu),
        ("network", NETWORK),
        ("misaligned", changed(BASE, target__alignment="3/5", target__noise=1)),
        ("kinked target", changed(relu, target__function="abs(z - 1/3)")),
        ("softplus", changed(BASE, features__activation="softplus")),
        ("four groups", changed(relu, features__spike=["2", "-1", "0", "1/3"])),
    ):
        yield f"curve/samples/{name}", case(tables, samples)
        yield f"curve/penalty/{name}", case(tables, penalties)
    grid = {"ridge.width_per_dim": ["1/2", "2"], "ridge.penalty": ["1/100", "1"]}
    yield "curve/product", case(BASE, {**samples, **grid})
    spikes = {"features.spike": [[0, 0], [1, -1], ["2", "1/2"]]}
    yield "curve/spikes", case(BASE, spikes)
    yield "curve/activations", case(BASE, {"features.activation": ["relu", "erf"]})
    yield "curve/targets", case(BASE, {"target.function": ["z", "sin(z)"]})
    yield "curve/noise", case(BASE, {"target.noise": ["0", "1/3", 1]})
    yield "curve/steps", case(NETWORK, {"network.step": ["1/2", 1, 3]})
    yield "curve/thirty digits", case(relu, penalties, digits=30)
    narrow = changed(relu, features__spike=["1/2", "-1/4"])
    limit = {"ridge.penalty": [0, "1e-9", 1]}
    yield "curve/from no penalty", case(narrow, limit)
    peak = changed(narrow, ridge__penalty=0)
    incomplete = {"ridge.samples_per_dim": [1, "3/2", 2]}
    yield "curve/incomplete", case(peak, incomplete)
    drawn = {"dimension": 20, "repetitions": 3, "seed": 5}
    few = {"ridge.penalty": ["1/10", 1]}
    yield "curve/simulated/tanh", case(BASE, few, simulated=drawn)
    yield "curve/simulated/relu", case(relu, few, simulated=drawn)
    yield "curve/simulated/network", case(NETWORK, few, simulated=drawn)
    for name, vary in (
        ("nothing", {}),
        ("no values", {"ridge.penalty": []}),
        ("twice the same", {"ridge.penalty": ["1/10", "0.1"]}),
        ("not a list", {"ridge.penalty": "1"}),
        ("negative", {"ridge.penalty": [1, -1]}),
        ("unknown", {"ridge.penaltie": [1]}),
    ):
        yield f"curve/refused/{name}", case(BASE, vary)


def _spectra() -> Cases:
    """Limit laws of many shapes, and thresholds."""

    def case(tables: Tables, **options: Any) -> Case:
        return Case("spectrum", {"tables": tables, **options})

    for name, activation, spike, sizes, options in (
        ("tanh", "tanh", ["3/2", "-4/5"], (2, "3/2"), {}),
        ("tanh, n = p", "tanh", ["1/2"], ("3/2", "3/2"), {}),
        ("tanh, few samples", "tanh", ["1/2"], ("1/2", "3/2"), {}),
        ("relu", "relu", ["1/2"], (2, "3/2"), {"digits": 30}),
        ("relu, strong", "relu", ["2", "1/2", "-1"], (4, "3/2"), {}),
        ("relu, few samples", "relu", ["1/2"], ("1/10", "3/2"), {}),
        ("softplus, few samples", "softplus", ["1/2"], ("1/10", "3/2"), {}),
        ("he2", "he2", ["1/2"], (2, "3/2"), {}),
        ("he3", "he3", ["0"], (2, "3/2"), {"scale": "p"}),
        ("he3, wide", "he3", ["0"], (2, "4"), {"width": 300}),
        ("linear", "linear", ["1"], (2, "3/2"), {"digits": 20}),
        ("linear, d = p", "linear", ["1/3"], (2, 1), {}),
        ("constant and cubic", "1/2 + z**3 - 3*z", ["0"], (2, "3/2"), {}),
        ("erf, weighted", "erf", ["1", "-1"], (3, 1), {"width": 500}),
        ("sign", "sign", ["1/3"], (2, 1), {}),
    ):
        tables = changed(
            BASE,
            features__activation=activation,
            features__spike=spike,
            ridge__samples_per_dim=sizes[0],
            ridge__width_per_dim=sizes[1],
        )
        yield f"spectrum/{name}", case(tables, **options)
    scales = changed(BASE, features__activation="relu", features__bulk=["1", "1/4"])
    yield "spectrum/two scales", case(scales)
    yield "spectrum/network", case(NETWORK)
    gaussian = changed(NETWORK, network__rows="gaussian", network__activation="tanh")
    yield "spectrum/network, gaussian", case(gaussian, scale="p")
    yield "spectrum/constant", case(changed(BASE, features__activation="2"))
    yield "spectrum/no scale", case(BASE, scale="q")
    yield "spectrum/no width", case(BASE, width=0)

    def threshold(tables: Tables, low: Any, high: Any, **options: Any) -> Case:
        return Case(
            "threshold", {"tables": tables, "low": low, "high": high, **options}
        )

    single = changed(BASE, features__spike=["1"])
    pair = changed(BASE, features__spike=["3/2", "-1"])
    linear = changed(single, features__activation="linear")
    yield "threshold/tanh", threshold(single, "1/100", 1, digits=15)
    yield "threshold/wider", threshold(single, "1/100", 1, width=4000)
    yield "threshold/one group", threshold(pair, "1/5", "7/10", group=1)
    yield "threshold/linear", threshold(linear, "1/100", 1, digits=20)
    square = changed(single, features__activation="he2")
    yield "threshold/no end", threshold(square, "1/2", 1)
    yield "threshold/none between", threshold(linear, 1, 2)
    yield "threshold/no group", threshold(linear, 1, 2, group=2)


def _certified() -> Cases:
    """Balls, and comparisons by them."""

    def certify(tables: Tables, digits: int) -> Case:
        return Case("certify", {"tables": tables, "digits": digits})

    relu = changed(BASE, features__activation="relu")
    single = changed(relu, features__spike=["3/2"])
    misaligned = changed(single, target__function="relu", target__alignment="7/10")
    erf = changed(single, features__activation="erf", features__bulk=["1/2"])
    square = changed(relu, features__activation="z**2", features__spike=["1", "2"])
    yield "certify/relu", certify(relu, 15)
    yield "certify/one group", certify(single, 25)
    yield "certify/misaligned", certify(misaligned, 12)
    yield "certify/erf", certify(changed(erf, target__function="sin(z)"), 12)
    yield "certify/square", certify(square, 12)
    yield "certify/tanh", certify(changed(BASE, features__spike=["1/2"]), 10)
    yield (
        "certify/softplus",
        certify(changed(single, features__activation="softplus"), 12),
    )
    yield "certify/kink", certify(changed(single, target__function="abs"), 12)
    yield "certify/no penalty", certify(changed(single, ridge__penalty=0), 12)

    def compare(first: Tables, second: Tables, quantity: str) -> Case:
        given = {"first": first, "second": second, "quantity": quantity, "digits": 12}
        return Case("compare", given)

    other = changed(single, ridge__penalty="1/19")
    yield "compare/less", compare(single, other, "training_error")
    yield "compare/greater", compare(other, single, "training_error")
    yield "compare/undecided", compare(single, single, "resolvent_trace")
    yield "compare/unknown", compare(single, other, "loss")


def _derived() -> Cases:
    """What follows from a result."""
    relu = changed(
        BASE,
        features__activation="relu",
        features__spike=["1", "-1/2"],
        target__alignment="4/5",
    )
    limit = changed(relu, ridge__penalty=0, ridge__samples_per_dim="1/2")
    for name, tables, number, digits in (
        ("penalty", relu, "ridge.penalty", 15),
        ("samples", relu, "ridge.samples_per_dim", 12),
        ("width", BASE, "ridge.width_per_dim", 12),
        ("spike", BASE, "features.spike[0]", 15),
        ("bulk", relu, "features.bulk[1]", 10),
        ("weight", relu, "features.weights[0]", 10),
        ("alignment", relu, "target.alignment", 12),
        ("noise", relu, "target.noise", 30),
        ("step", NETWORK, "network.step", 10),
        ("readout", NETWORK, "network.readout[1]", 10),
        ("no penalty", limit, "ridge.samples_per_dim", 12),
        ("no penalty, noise", limit, "target.noise", 12),
        ("symmetric", changed(BASE, features__spike=["0"]), "features.spike[0]", 12),
        ("border", BASE, "target.alignment", 12),
        ("unknown", BASE, "features.spike", 12),
        ("unknown group", BASE, "features.spike[2]", 12),
    ):
        given = {"tables": tables, "name": number, "digits": digits}
        yield f"derivatives/{name}", Case("derivatives", given)
    single = changed(
        BASE,
        features__activation="relu",
        features__spike=["1"],
        target__function="z",
        target__noise="1/2",
        ridge__width_per_dim=1,
    )
    hopeless = changed(relu, target__function="He(3, z)", target__alignment="0")
    for name, tables, digits in (
        ("relu", single, 12),
        ("relu, thirty digits", single, 30),
        ("two groups", relu, 12),
        ("tanh", BASE, 10),
        ("network", NETWORK, 10),
        ("no signal", hopeless, 10),
    ):
        given = {"tables": tables, "digits": digits}
        yield f"optimal_penalty/{name}", Case("optimal_penalty", given)
    for name, tables, digits in (
        ("relu", relu, 15),
        ("tanh", BASE, 30),
        ("network", NETWORK, 12),
        ("small penalty", changed(relu, ridge__penalty="1e-12"), 12),
        ("large penalty", changed(relu, ridge__penalty="1e6"), 12),
        ("kinked target", changed(relu, target__function="abs"), 12),
        ("no penalty", limit, 12),
    ):
        given = {"tables": tables, "digits": digits}
        yield f"diagnose/{name}", Case("diagnose", given)
    three = changed(NETWORK, network__activation="tanh", network__readout=[1, 2, 3])
    for name, tables in (
        ("relu", relu),
        ("tanh", BASE),
        ("network", NETWORK),
        ("three groups", three),
        ("gaussian rows", changed(NETWORK, network__rows="gaussian")),
        ("square", changed(relu, features__activation="z**2")),
    ):
        yield f"reach/{name}", Case("reach", {"tables": tables})
    kappa = [[-3.0, -1.0, -0.25], [0.0, 0.5, 2.5]]
    for name, tables in (("relu", relu), ("tanh", BASE), ("gaussian rows", three)):
        given = {"tables": tables, "kappa": kappa}
        yield f"learned_function/{name}", Case("learned_function", given)
    yield "validate", Case("validate", {"tables": BASE, "seed": 3})
    bad = {"tables": changed(BASE, ridge__penalty=0), "seed": 3}
    yield "validate/no penalty", Case("validate", bad)


def _derivations() -> Cases:
    """The equations as text, LaTeX, Python and SymPy expressions."""
    erf = changed(
        BASE,
        features__activation="erf",
        target__function="sin(z)",
        target__alignment="3/5",
    )
    relu = changed(BASE, features__activation="relu", target__function="abs(z)")
    heavy = changed(
        BASE,
        features__activation="abs(z**2 - 1)",
        features__spike=["1"],
        features__bulk=["sqrt(2)"],
    )
    gaussian = changed(NETWORK, network__rows="gaussian", network__activation="tanh")
    problems: dict[str, Tables] = {
        "tanh": BASE,
        "erf": erf,
        "relu": relu,
        "folded": heavy,
        "he3": changed(BASE, features__activation="he3", features__bulk=["1/2", "1"]),
        "network": NETWORK,
        "network, gaussian": gaussian,
        "network, batch": changed(NETWORK, network__batch_per_dim=20),
    }
    for groups in range(1, 5):
        for form in ("text", "latex", "python"):
            given = {"form": form, "groups": groups}
            yield f"derive/{form}/{groups}", Case("derive", given)
    for groups in (1, 2):
        given = {"form": "expressions", "groups": groups}
        yield f"derive/expressions/{groups}", Case("derive", given)
    for name, tables in problems.items():
        for form, closed in (
            ("text", False),
            ("text", True),
            ("latex", True),
            ("python", False),
        ):
            given = {"form": form, "tables": tables}
            if closed:
                given["closed_forms"] = True
            title = f"{form}, closed" if closed else form
            yield f"derive/{title}/{name}", Case("derive", given)
    for name, given in (
        ("neither", {"form": "text"}),
        ("both", {"form": "text", "groups": 2, "tables": BASE}),
        ("too many", {"form": "text", "groups": 9}),
        ("no closed forms", {"form": "text", "groups": 2, "closed_forms": True}),
    ):
        yield f"derive/refused/{name}", Case("derive", given)


def _refused() -> Cases:
    """Points that are no problems, or have no solution."""
    few = {"ridge__penalty": 0, "ridge__samples_per_dim": 1}
    for name, tables in {
        "square root": changed(BASE, features__activation="sqrt"),
        "logarithm": changed(BASE, features__activation="log"),
        "tangent": changed(BASE, features__activation="tan"),
        "explosion": changed(BASE, features__activation="exp(z**2/4)"),
        "unknown": changed(BASE, features__activation="tahn"),
        "unknown function": changed(BASE, target__function="cot(z)"),
        "power": changed(BASE, target__function="z**65"),
        "caret": changed(BASE, target__function="z^2"),
        "arguments": changed(BASE, target__function="max(z)"),
        "pole": changed(BASE, target__function="1/(z - 1)"),
        "nine groups": changed(BASE, features__spike=[1] * 9),
        "weights": changed(BASE, features__weights=["1/2", "1/3"]),
        "bulk": changed(BASE, features__bulk=["1", "-1"]),
        "no penalty at the peak": changed(BASE, **few, ridge__width_per_dim=1),
        "saturated": changed(
            BASE, **few, features__activation="sign", features__spike=["1"]
        ),
        "linear": changed(BASE, **few, features__activation="z/2 + 1"),
        "no ridge": {k: v for k, v in BASE.items() if k != "ridge"},
        "no penalty given": changed(BASE, ridge__penalty=None),
        "two layers": {**BASE, "network": NETWORK["network"]},
        "rows": changed(NETWORK, network__rows="uniform"),
        "batch": changed(NETWORK, network__batch_per_dim=-1),
        "cancelled rows": changed(
            NETWORK,
            network__activation="he2",
            network__readout=[1],
            network__step=-1,
        ),
        "batch and jump": changed(
            NETWORK, network__activation="sign", network__batch_per_dim=20
        ),
    }.items():
        yield f"refused/{name}", Case("solve", {"tables": tables, "digits": 15})
    for digits in (0, 251, 12.5, "12"):
        given = {"tables": BASE, "digits": digits}
        yield f"refused/digits/{digits}", Case("solve", given)


FILE = """
# Half of the units learned a strong spike, half a weaker one of the opposite sign.
[features]
activation = "tanh"
spike = [1.5, -0.8]

[target]
function = "z + 0.5*(z**2 - 1)"
noise = 0.3

[ridge]
samples_per_dim = 2
width_per_dim = 1.5
penalty = 0.05
"""


def _command_line() -> Cases:
    """Commands that succeed: JSON, CSV, tables for people, and the equations."""
    files = {
        "problem.toml": FILE,
        "network.toml": NETWORK_FILE,
        "exact.toml": EXACT_FILE,
    }
    relu = "--set features.activation=relu --set 'features.spike=[0.5, 0.25]'"
    plain = "--set features.activation=he3 --set features.spike=0"
    square = "--set features.activation=z**2"
    even = "--set network.activation=tanh --set 'target.function=He(2, z)'"
    vary = "--vary ridge.samples_per_dim=0.5:8:4:log"
    peak = f"{relu} --set ridge.samples_per_dim=1.5 --vary ridge.penalty=0,1"
    few = "--vary ridge.penalty=0.1,1 --workers 1"
    draw = "--simulate d=20,reps=2 --seed 4"
    brief = "--budget 0.001 --seed 3 --workers 1"
    for name, line, reads in (
        ("solve/json", "solve problem.toml --json", "json"),
        ("solve/json, forty", "solve problem.toml --json --digits 40", "json"),
        ("solve/json, relu", f"solve problem.toml --json {relu}", "json"),
        ("solve/json, exact", "solve exact.toml --json --digits 20", "json"),
        ("solve/json, network", "solve network.toml --json", "json"),
        ("solve/json, no spike", f"solve network.toml --json {even}", "json"),
        ("solve/table", "solve problem.toml", "text"),
        ("solve/table, fifty", "solve problem.toml --digits 50", "text"),
        ("solve/table, network", "solve network.toml --set ridge.penalty=1", "text"),
        ("curve/samples", f"curve problem.toml {vary}", "csv"),
        ("curve/network", f"curve network.toml {vary}", "csv"),
        ("curve/grid", f"curve problem.toml {vary} {few}", "csv"),
        ("curve/digits", f"curve problem.toml {few} --digits 20", "csv"),
        ("curve/simulated", f"curve problem.toml {few} {draw}", "csv"),
        ("curve/to a file", f"curve network.toml {few} {draw} --out curve.csv", "csv"),
        ("curve/incomplete", f"curve problem.toml {peak}", "csv"),
        ("spectrum/summary", "spectrum problem.toml", "text"),
        ("spectrum/json", "spectrum problem.toml --points 20 --json", "json"),
        (
            "spectrum/json, simulated",
            f"spectrum problem.toml {plain} --points 9 --json --scale p "
            "--simulate d=20 --seed 3",
            "json",
        ),
        (
            "spectrum/json, without end",
            f"spectrum problem.toml {square} --points 5 --json",
            "json",
        ),
        (
            "spectrum/table",
            f"spectrum problem.toml {plain} --points 15 --digits 20 --width 600 "
            "--out law.csv",
            "text",
        ),
        ("derive/text", "derive --groups 3", "plain"),
        ("derive/latex", "derive problem.toml --format latex", "plain"),
        ("derive/closed forms", f"derive problem.toml --closed-forms {relu}", "plain"),
        ("derive/python", "derive network.toml --format python", "plain"),
        ("validate/json", f"validate problem.toml {brief} --json", "json"),
    ):
        arguments = split(line)
        file = {k: v for k, v in files.items() if k in arguments}
        given = {"arguments": arguments, "files": file, "reads": reads}
        yield f"command/{name}", Case("command", given)


# what is replaced in a sound file, and by what
FAULTS = {
    "not TOML": ("[target]", "[target"),
    "misspelled table": ("[ridge]", "[rigde]"),
    "misspelled field": ("penalty =", "penalti ="),
    "missing field": ("width_per_dim = 1.5", ""),
    "text for a number": ("0.3", '"loud"'),
    "negative noise": ("0.3", "-0.3"),
    "no samples": ("samples_per_dim = 2", "samples_per_dim = 0"),
    "empty spike": ("[1.5, -0.8]", "[]"),
    "not a number": ("penalty = 0.05", "penalty = nan"),
    "a boolean": ("samples_per_dim = 2", "samples_per_dim = true"),
    "unknown activation": ('"tanh"', '"tahn"'),
    "unknown variable": ('"tanh"', '"tanh(x)"'),
    "Python code": ('"tanh"', '"__import__(1)"'),
    "attribute": ('"tanh"', '"z.real"'),
    "no second moment": ('"tanh"', '"exp(z**2)"'),
    "unbalanced": ('"z + 0.5*(z**2 - 1)"', '"z + (z"'),
    "two layers": (
        "[target]",
        '[network]\nactivation = "relu"\nreadout = [1]\nstep = 1\n[target]',
    ),
}


def _bad_command_lines() -> Cases:
    """What is refused, with one line and a status."""

    def case(arguments: list[str], text: str = FILE) -> Case:
        given = {"arguments": arguments, "files": {"problem.toml": text}}
        return Case("command", given | {"reads": "plain"})

    for name, (old, new) in FAULTS.items():
        text = FILE.replace(old, new, 1)
        yield f"command/refused/file/{name}", case(["solve", "problem.toml"], text)
    vary = "--vary ridge.samples_per_dim=1:3:3"
    for line in (
        "",
        "solv problem.toml",
        "solve",
        "solve nowhere.toml",
        "solve problem.toml --digits ten",
        "solve problem.toml --digits 0",
        "solve problem.toml --digits 251",
        "solve problem.toml --wrong",
        "solve problem.toml --set ridge.penalty",
        "solve problem.toml --set ridge.penalty=-1",
        "solve problem.toml --set ridge.penalty=1 --set ridge.penalty=2",
        "solve problem.toml --set penalty=1",
        "solve problem.toml --set target=1",
        "solve problem.toml --set features.activation=1/z",
        "solve problem.toml --set ridge.penalty=0 --set ridge.width_per_dim=2",
        "solve problem.toml --set features.activation=sign --set features.spike=1 "
        "--set ridge.penalty=0 --set ridge.samples_per_dim=1",
        "curve problem.toml",
        "curve problem.toml --vary ridge.penalty=1:2",
        "curve problem.toml --vary ridge.penalty=1:2:1",
        "curve problem.toml --vary ridge.penalty=0:1:5:log",
        "curve problem.toml --vary ridge.penalty=1,-1",
        "curve problem.toml --vary ridge.penaltie=1,2",
        f"curve problem.toml {vary} {vary}",
        f"curve problem.toml {vary} --plot curve.jpg",
        f"curve problem.toml {vary} --out no/where.csv",
        f"curve problem.toml {vary} --simulate d=400",
        f"curve problem.toml {vary} --simulate d=400,reps=1",
        f"curve problem.toml {vary} --simulate d=9,reps=9 --seed -1",
        f"curve problem.toml {vary} --resume draws.sqlite",
        f"curve problem.toml {vary} --workers 0",
        "spectrum problem.toml --points 1",
        "spectrum problem.toml --scale q",
        "spectrum problem.toml --simulate d=30,reps=2",
        "spectrum problem.toml --seed -1",
        "spectrum problem.toml --out law.txt",
        "spectrum problem.toml --set features.activation=2",
        "derive",
        "derive --groups 0",
        "derive --groups two",
        "derive --groups 2 --closed-forms",
        "derive --groups 2 --set ridge.penalty=1",
        "derive --groups 2 --format word",
        "derive problem.toml --groups 2",
        "validate problem.toml --budget 0",
        "validate problem.toml --seed -1",
        "validate problem.toml --out report.txt",
        "validate problem.toml --set ridge.penalty=0",
    ):
        yield f"command/refused/{line or 'nothing'}", case(split(line))
