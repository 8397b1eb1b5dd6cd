"""Curves: against single solves, through files and datasets, on figures."""

import csv
import io
import pickle
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import product
from pathlib import Path

import mpmath
import numpy as np
import pytest
from matplotlib.figure import Figure

import detequiv as de
from detequiv.numerics.solving.solution import QUANTITIES
from detequiv.theory.functions.expressions import exact

# the room's face has the function of this name
sweep_module = import_module("detequiv.numerics.solving.sweep")

PROBLEM = de.Problem(
    features=de.SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
    target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
    ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
)
VARY = {"ridge.samples_per_dim": ["1/3", "3/2", 4], "ridge.penalty": ["1e-3", 10]}


@pytest.fixture(scope="module")
def curve() -> de.Curve:
    """Solve two parameters' product in float64."""
    return de.curve(PROBLEM, VARY)


@pytest.fixture(scope="module")
def simulated() -> de.Curve:
    """Simulate a small curve."""
    found = de.curve(PROBLEM, {"ridge.samples_per_dim": [1, 3]})
    return found.simulate(dimension=30, repetitions=3, rng=7)


def test_float64_points_agree_with_solve_to_the_digits_vouched_for(
    curve: de.Curve,
) -> None:
    assert curve.shape == (3, 2)
    for index, (alpha, penalty) in enumerate(product(*VARY.values())):
        point = curve.points[index]
        assert 10 <= point.digits <= 15
        truth = de.solve(
            PROBLEM.with_values(
                {"ridge.samples_per_dim": alpha, "ridge.penalty": penalty}
            ),
            digits=25,
        )
        for name in QUANTITIES:
            with mpmath.workdps(30):
                gap = abs(point.values[name] / getattr(truth, name) - 1)
            assert gap < 10.0**-point.digits
            at = np.unravel_index(index, curve.shape)
            assert curve.values(name)[at] == float(point.values[name])


def test_digits_are_those_of_solve_and_survive_the_csv() -> None:
    with ThreadPoolExecutor(2) as executor:
        found = de.curve(
            PROBLEM, {"ridge.penalty": ["1/3", "1/20"]}, digits=25, executor=executor
        )
    rows = list(csv.DictReader(io.StringIO(found.to_csv() or "")))
    assert [row["ridge.penalty"] for row in rows] == ["1/3", "0.05"]
    for row in rows:
        penalty = exact(row["ridge.penalty"], "csv")
        alone = de.solve(PROBLEM.with_values({"ridge.penalty": penalty}), digits=25)
        assert row["digits"] == "25"
        assert {name: row[name] for name in QUANTITIES} == {
            name: alone.text(name) for name in QUANTITIES
        }


def test_the_dataset_has_one_dimension_a_parameter(curve: de.Curve) -> None:
    data = curve.to_xarray()
    error = data["generalization_error"]
    assert error.dims == ("ridge.samples_per_dim", "ridge.penalty")
    assert data["ridge.penalty"].values.tolist() == [1e-3, 10.0]
    chosen = error.sel({"ridge.penalty": 10.0, "ridge.samples_per_dim": 1.5})
    assert float(chosen) == curve.values("generalization_error")[1, 1]
    assert "Phi^T Phi / p" in data["resolvent_trace"].attrs["definition"]
    assert data["ridge.samples_per_dim"].attrs["units"] == "1"
    assert data.attrs["detequiv_version"] == de.__version__


def test_the_problem_in_the_dataset_is_a_file_again(
    curve: de.Curve, tmp_path: Path
) -> None:
    path = tmp_path / "again.toml"
    path.write_text(curve.to_xarray().attrs["problem"], "utf-8")
    assert de.load(path) == PROBLEM


def test_units_with_two_latents_agree_with_solve() -> None:
    network = de.Problem(
        network=de.Network(activation="relu", readout=[1, -1], step=1, rows="gaussian"),
        target=PROBLEM.target,
        ridge=PROBLEM.ridge,
    )
    found = de.curve(network, {"network.batch_per_dim": [None, 20]})
    for point in found.points:
        alone = de.solve(point.problem, digits=11)
        assert len(alone.t) == (4 if point.problem.network.batch_per_dim is None else 6)
        for name in QUANTITIES:
            assert abs(point.values[name] / getattr(alone, name) - 1) < 1e-10


def test_the_order_of_the_points_is_of_no_account() -> None:
    alphas = [f"{k}/20" for k in range(4, 104)]
    mixed = np.random.default_rng(1).permutation(alphas).tolist()
    curves = [de.curve(PROBLEM, {"ridge.samples_per_dim": a}) for a in (alphas, mixed)]
    expected = dict(zip(alphas, curves[0].values("generalization_error"), strict=True))
    found = dict(zip(mixed, curves[1].values("generalization_error"), strict=True))
    assert found == pytest.approx(expected, rel=1e-10)


def test_a_point_that_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    whole_solve, floats = sweep_module.solve, sweep_module.solve_floats

    def hard(problem: de.Problem, **options: int) -> object:
        if problem.ridge.penalty == 1:
            raise de.ConvergenceError("3 of 10 digits can be vouched for")
        return whole_solve(problem, **options)

    def fragile(model: object, law: object, parameters: np.ndarray) -> object:
        if 1.0 in parameters[:, 2]:
            raise de.ConvergenceError("the branch was lost")
        return floats(model, law, parameters)  # type: ignore[arg-type]

    monkeypatch.setattr(sweep_module, "solve", hard)
    monkeypatch.setattr(sweep_module, "solve_floats", fragile)
    with pytest.raises(
        de.IncompleteCurveError, match=r"1 of 3 points .*penalty = 1: 3 of"
    ):
        de.curve(PROBLEM, {"ridge.penalty": ["1/2", 1, 2]})
    with pytest.raises(de.ConvergenceError) as caught:
        de.curve(PROBLEM, {"ridge.penalty": ["1/2", 1, 2]})
    assert isinstance(caught.value, de.IncompleteCurveError)
    partial = caught.value.curve
    values = partial.values("training_error")
    assert np.isnan(values).tolist() == [False, True, False]
    assert partial.values("digits")[1] == 0
    rows = list(csv.DictReader(io.StringIO(partial.to_csv() or "")))
    assert [row["training_error"] == "" for row in rows] == [False, True, False]


def test_a_point_that_has_no_answer_is_named_once() -> None:
    at_peak = PROBLEM.with_values(
        {"ridge.samples_per_dim": 1, "ridge.width_per_dim": 1}
    )
    with pytest.raises(de.IncompleteCurveError) as caught:
        de.curve(at_peak, {"ridge.penalty": [0, 1]})
    assert str(caught.value).count("ridge.penalty = 0") == 1
    assert "diverges" in str(caught.value)


def test_a_point_float64_cannot_vouch_for_is_solved_in_balls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dataclasses import replace

    floats = sweep_module.solve_floats

    def doubtful(model: object, law: object, parameters: np.ndarray) -> object:
        found = floats(model, law, parameters)  # type: ignore[arg-type]
        return replace(
            found,
            quantities=found.quantities * 1.001,
            errors=np.array([1e-2, np.inf]),
        )

    monkeypatch.setattr(sweep_module, "solve_floats", doubtful)
    found = de.curve(PROBLEM, {"ridge.penalty": [1, 2]})
    alone = de.solve(PROBLEM.with_values({"ridge.penalty": 2}), digits=10)
    assert found.points[1].text("readout_norm") == alone.text("readout_norm")


def test_unknown_quantities_are_refused(curve: de.Curve) -> None:
    with pytest.raises(de.InputError, match="quantity = test_error: give one of gen"):
        curve.values("test_error")
    with pytest.raises(de.InputError, match=r"call .simulate"):
        curve.simulated("training_error")


def test_simulation_is_the_same_for_any_executor(simulated: de.Curve) -> None:
    bare = de.curve(PROBLEM, {"ridge.samples_per_dim": [1, 3]})
    with ThreadPoolExecutor(2) as executor:
        again = bare.simulate(dimension=30, repetitions=3, rng=7, executor=executor)
    mean, error = simulated.simulated("generalization_error")
    assert mean.shape == error.shape == (2,)
    assert (error > 0).all()
    assert (again.simulated("generalization_error")[0] == mean).all()
    # points draw independently
    assert mean[0] != mean[1]


def test_simulation_columns_name_sizes_and_seed(
    simulated: de.Curve, tmp_path: Path
) -> None:
    path = tmp_path / "curve.csv"
    assert simulated.to_csv(path) is None
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
    assert [(row["d"], row["n"], row["p"]) for row in rows] == [
        ("30", "30", "45"),
        ("30", "90", "45"),
    ]
    assert {(row["repetitions"], row["seed"]) for row in rows} == {("3", "7")}
    mean, error = simulated.simulated("readout_norm")
    assert [float(row["readout_norm_simulated"]) for row in rows] == mean.tolist()
    assert [float(r["readout_norm_standard_error"]) for r in rows] == error.tolist()
    # theory of the width drawn stands beside its limit
    for row, point in zip(rows, simulated.points, strict=True):
        at_width = de.solve(point.problem, width=45).generalization_error
        assert float(row["generalization_error_at_width"]) == pytest.approx(
            float(at_width), rel=1e-9
        )
        assert abs(float(row["generalization_error"]) / float(at_width) - 1) > 1e-3
    data = simulated.to_xarray()
    assert (
        data["training_error_at_width"].values == simulated.at_width("training_error")
    ).all()
    assert data.attrs["simulation_seed"] == "7"
    assert data["readout_norm_simulated"].values.tolist() == mean.tolist()


def test_progress_counts_points_and_draws() -> None:
    seen: list[tuple[int, int]] = []

    def note(done: int, total: int) -> None:
        seen.append((done, total))

    found = de.curve(PROBLEM, {"ridge.samples_per_dim": [1, 3]}, progress=note)
    assert seen == [(2, 2)]
    seen.clear()
    found.simulate(dimension=20, repetitions=2, rng=0, progress=note)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_figure_says_what_it_shows(simulated: de.Curve) -> None:
    figure = simulated.plot()
    assert isinstance(figure, Figure)
    (ax,) = figure.axes
    assert "n/d" in ax.get_xlabel()
    assert "generalisation error" in ax.get_ylabel()
    assert "(y-f)^2" in ax.get_ylabel()
    assert "d = 30, 3 draws a point, seed 7" in ax.get_title(loc="left")
    assert "theory at the width drawn; dashed: its limit" in ax.get_title(loc="left")
    name = "generalization_error"
    theory, limit = (np.asarray(line.get_ydata()) for line in ax.lines[:2])
    assert theory.tolist() == simulated.at_width(name).tolist()
    assert limit.tolist() == simulated.values(name).tolist()
    assert ax.lines[1].get_linestyle() == "--"


def test_every_line_of_a_product_is_labelled(curve: de.Curve) -> None:
    (ax,) = curve.plot(["generalization_error", "training_error"]).axes
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "generalisation error, penalty = 0.001",
        "training error, penalty = 0.001",
        "generalisation error, penalty = 10",
        "training error, penalty = 10",
    ]


def test_only_numbers_make_an_axis() -> None:
    found = de.curve(PROBLEM, {"features.activation": ["tanh", "erf"]})
    with pytest.raises(
        de.InputError, match=r"plot = features.activation: is not a num"
    ):
        found.plot()


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_figures_are_the_same_bytes_every_time(
    curve: de.Curve, suffix: str, tmp_path: Path
) -> None:
    from detequiv.figures.style import save

    paths = [tmp_path / f"{i}{suffix}" for i in range(2)]
    for path in paths:
        save(curve.plot(), path)
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    if suffix == ".svg":
        assert ET.fromstring(first).tag.endswith("svg")
    with pytest.raises(de.InputError, match=r"must end in .svg or .png or .pdf"):
        save(curve.plot(), tmp_path / "curve.jpeg")


def test_a_curve_crosses_process_borders(simulated: de.Curve) -> None:
    again = pickle.loads(pickle.dumps(simulated))
    assert again.to_csv() == simulated.to_csv()


def test_two_curves_on_one_figure_are_told_apart() -> None:
    one, other = (
        de.curve(PROBLEM, {"ridge.samples_per_dim": [1, 2, 4]}, width=width)
        for width in (None, 100)
    )
    figure = one.plot(label="the limit", title="Two widths", logy=True)
    (ax,) = figure.axes
    other.plot(ax=ax, label="100 units")
    lines = [line for line in ax.lines if len(line.get_xdata())]
    assert len({line.get_color() for line in lines}) == len(lines) == 2
    legend = ax.get_legend()
    assert legend is not None
    assert [t.get_text() for t in legend.get_texts()] == ["the limit", "100 units"]
    assert ax.get_title(loc="left") == "Two widths"
    assert ax.get_yscale() == "log"


def test_a_value_without_logarithm_has_no_place_on_that_axis() -> None:
    curve = de.curve(
        PROBLEM.with_values({"target.function": "0", "target.noise": 0}),
        {"ridge.penalty": [1, 2]},
    )
    with pytest.raises(de.InputError, match="logy = 0"):
        curve.plot(logy=True)
