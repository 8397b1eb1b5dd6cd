"""``detequiv spectrum`` and ``Law.plot``: what they write, draw and refuse."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from matplotlib.figure import Figure

import detequiv as de
from detequiv.cli import main
from detequiv.commands.spectrum import _float_text

FILE = str(Path(__file__).parents[3] / "docs" / "problem.toml")
PLAIN = ("--set", "features.activation=he3", "--set", "features.spike=0")


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["spectrum", FILE, *arguments])


def plain_law(scale: str = "n", width: str = "3/2") -> de.Law:
    """Marchenko-Pastur features, quick to solve."""
    return de.spectrum(
        de.Problem(
            features=de.SpikedFeatures(activation="he3", spike=0),
            target=de.Target(function="z"),
            ridge=de.Ridge(samples_per_dim=2, width_per_dim=width, penalty=1),
        ),
        scale=scale,
    )


def test_json_is_one_object_of_decimal_strings() -> None:
    result = run(*PLAIN, "--points", "50", "--json")
    assert result.exit_code == 0, result.stderr
    values = json.loads(result.stdout)
    assert values["scale"] == "Phi^T Phi / n"
    assert values["atom_at_zero"] == "0"
    x, density = (np.array(values[k], float) for k in ("x", "density"))
    assert len(x) == len(density) == 50
    assert np.trapezoid(density, x) == pytest.approx(1, abs=3e-3)
    assert all(isinstance(text, str) for text in values["density"])
    (interval,) = values["support"]
    assert interval["lower"] == {"value": "0.107695154586736", "kind": "regular"}
    assert interval["upper"] == {"value": "20.8923048454133", "kind": "regular"}


def test_outliers_are_given_for_a_width() -> None:
    constant = ("--set", "features.activation=1 + z**3 - 3*z", *PLAIN[2:])
    result = run(*constant, "--points", "5", "--width", "600", "--json")
    assert result.exit_code == 0, result.stderr
    (outlier,) = json.loads(result.stdout)["outliers"]
    # a spike of strength t = p/6 in units of the noise: 6 (1 + t)(3/4 + t)/t
    assert outlier["value"] == "610.5450000"
    assert (outlier["order"], outlier["width"]) == ("p", 600)
    # 1 - y (1 + t)/(t (t + y)) with y = 3/4, t = 100
    assert outlier["mean_overlaps"] == ["0.99248139"]


def test_the_other_scale_can_be_asked_for() -> None:
    result = run(*PLAIN, "--points", "5", "--scale", "p", "--json")
    assert result.exit_code == 0, result.stderr
    values = json.loads(result.stdout)
    assert values["scale"] == "Phi^T Phi / p"
    # 6 (1 + sqrt(3/4))^2 times n/p = 4/3
    assert values["support"][0]["upper"]["value"] == "27.8564064605510"


def test_outliers_that_are_not_known_are_not_called_none() -> None:
    """The mean of z^2 makes an eigenvalue of order p, inside a support without end."""
    square = ("--set", "features.activation=z**2", "--set", "features.spike=0.5")
    result = run(*square, "--points", "5", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["outliers"] is None
    (reason,) = result.stderr.splitlines()
    assert reason.startswith("outliers not known: the support reaches infinity")
    problem = de.load(FILE).with_values(
        {"features.activation": "z**2", "features.spike": 0.5}
    )
    (ax,) = de.spectrum(problem).plot(points=5).axes
    assert "outliers not known" in ax.get_title(loc="left")


def test_table_and_figure_are_written(tmp_path: Path) -> None:
    table, figure = tmp_path / "law.csv", tmp_path / "law.svg"
    result = run(
        *(*PLAIN, "--points", "30", "--simulate", "d=30", "--seed", "3"),
        *("--out", str(table), "--plot", str(figure)),
    )
    assert result.exit_code == 0, result.stderr
    assert result.stderr == f"wrote {table}\nwrote {figure}\n"
    assert "mass at zero     0" in result.stdout
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    assert len(rows) == 30
    assert set(rows[0]) == {"x", "density"}
    assert figure.read_text("utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--points", "1"),
        ("--scale", "q"),
        ("--simulate", "d=30,reps=2"),
        ("--simulate", "d=1"),
        ("--seed", "-1"),
        ("--out", "law.txt"),
        ("--plot", "law.gif"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments: tuple[str, ...]) -> None:
    result = run(*PLAIN, *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1


def test_the_simulation_is_in_the_scale_of_the_law() -> None:
    by_n = plain_law().simulate(dimension=40, rng=1)
    by_p = plain_law("p").simulate(dimension=40, rng=1)
    assert len(by_n) == 60
    np.testing.assert_allclose(by_n, by_p * 60 / 80, rtol=1e-12)
    # E He_3^2 = 6
    assert by_n.mean() == pytest.approx(6, rel=0.2)


def test_zeros_are_among_the_simulated_eigenvalues() -> None:
    law = plain_law(width="4")
    values = law.simulate(dimension=20, rng=1)
    assert len(values) == 80
    assert np.mean(values == 0) == law.atom_at_zero == 0.5


def test_a_figure_has_the_density_and_the_histogram() -> None:
    law = plain_law()
    figure = law.plot(points=40, eigenvalues=law.simulate(dimension=40, rng=1))
    assert isinstance(figure, Figure)
    (ax,) = figure.axes
    assert len(ax.lines) == 2  # the density, and the ends of the support
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "one matrix, $p$ = 60",
        "limit law",
        "ends of the support",
    ]
    assert "/ n" in ax.get_xlabel()


def test_a_wide_law_is_drawn_on_a_logarithmic_axis() -> None:
    law = plain_law(width="2")
    figure = law.plot(points=40)
    (ax,) = figure.axes
    assert ax.get_xscale() == "log"
    assert "times $x$" in ax.get_ylabel()


def test_outliers_are_marked_beside_those_of_the_matrix() -> None:
    problem = plain_law().problem.with_values({"features.activation": "z**2"})
    law = de.spectrum(problem, width=60)
    (outlier,) = law.outliers
    eigenvalues = law.simulate(dimension=40, rng=1)
    (ax,) = law.plot(points=40, eigenvalues=eigenvalues).figure.axes
    low, high = ax.get_xlim()
    assert ax.get_xscale() == "log"
    assert low < law.support[0].lower.value
    assert outlier.value < high
    labels = [t.get_text() for t in ax.get_legend().get_texts()]
    assert "outliers at $p$ = 60" in labels
    assert "its largest eigenvalues" in labels
    marks = {line.get_marker(): line.get_xdata() for line in ax.lines}
    assert marks["D"] == [outlier.value]
    assert eigenvalues[-1] in marks["|"]


def test_digits_of_the_density_are_those_that_float64_has() -> None:
    assert _float_text(0.123456789012, 1e-13) == "0.123456789"
    assert _float_text(1.23456789e-5, 0.5e-7) == "1.2e-05"
    assert _float_text(1e-9, 1e-8) == _float_text(0.0, 1e-15) == "0"
    # next to an end the density is a small part of s, of which the error is
    law = plain_law()
    x = float(law.support[0].upper.value) * np.array([1 - 1e-4, 0.5])
    density, error = law.density_with_error(x)
    exact = np.array([float(v) for v in law.density(x, digits=20)])
    assert (np.abs(density - exact) <= error + 1e-16 * 1e4 * density).all()
    assert error[0] / density[0] > 10 * error[1] / density[1]


def test_a_law_of_little_mass_has_a_grid(tmp_path: Path) -> None:
    file = tmp_path / "few.toml"
    file.write_text(
        '[features]\nactivation = "relu"\nspike = 0\n[target]\nfunction = "z"\n'
        "[ridge]\n"
        "samples_per_dim = 0.01\nwidth_per_dim = 90\npenalty = 1\n",
        "utf-8",
    )
    (interval,) = (law := de.spectrum(de.load(file))).support
    x = law.grid(10)
    assert interval.lower.value / 2 < x[0] < x[-1] < interval.upper.value * 2
