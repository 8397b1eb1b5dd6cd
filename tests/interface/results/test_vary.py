"""What a curve varies: any field, entries of lists, and what it refuses."""

import pytest

import detequiv as de

PROBLEM = de.Problem(
    features=de.SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
    target=de.Target(function="z + (z**2 - 1)/2", noise="3/10"),
    ridge=de.Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
)


def test_any_field_can_be_varied() -> None:
    found = de.curve(
        PROBLEM,
        {"features.activation": ["tanh", "erf"], "features.spike": [[0], [1, "-1/2"]]},
    )
    data = found.to_xarray()
    assert data["features.activation"].values.tolist() == ["tanh(z)", "erf(z)"]
    assert data["features.spike"].values.tolist() == ["[0]", "[1, -0.5]"]
    alone = de.solve(
        PROBLEM.with_values({"features.activation": "erf", "features.spike": 0})
    )
    there = data["training_error"].values[1, 0]
    assert abs(there / float(alone.training_error) - 1) < 1e-10
    along = de.curve(PROBLEM, {"features.spike[0]": [0, 1]})
    assert along.coordinate("features.spike[0]").tolist() == [0.0, 1.0]
    second = de.solve(PROBLEM.with_values({"features.spike": [1, "-4/5"]}))
    assert abs(along.values("excess_error")[1] / float(second.excess_error) - 1) < 1e-10
    with pytest.raises(de.InputError, match=r"features\.spike\[0\], or give lists"):
        de.curve(PROBLEM, {"features.spike": [0, 1]})


def test_entries_of_lists_are_varied_and_groups_stay() -> None:
    problem = PROBLEM.with_values({"features.activation": "relu"})
    values = {"features.spike[0]": [0, 1], "features.spike[1]": ["1/3", 2]}
    errors = de.curve(problem, values).values("generalization_error")
    for i, first in enumerate(values["features.spike[0]"]):
        for j, second in enumerate(values["features.spike[1]"]):
            alone = problem.with_values({"features.spike": [first, second]})
            expected = float(de.solve(alone).generalization_error)
            assert errors[i, j] == pytest.approx(expected, rel=1e-9)
    with pytest.raises(de.InputError, match=r"features\.spike = .*group"):
        de.curve(problem, {"features.spike": [0, 2]})
    with pytest.raises(de.InputError, match="give a mapping"):
        de.curve(problem, ["ridge.penalty"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("vary", "says"),
    [
        ({}, "vary = {}: name a parameter"),
        ({"ridge.penalty": []}, r"vary ridge.penalty = \[\]: give one value"),
        ({"ridge.penalty": "0.1"}, "vary ridge.penalty = 0.1: give a list"),
        ({"ridge.penalty": [1, -1]}, "ridge.penalty = -1: must not be negative"),
        ({"ridge.penalty": ["1/2", 0.5]}, "has the same value twice"),
        ({"penalty": [1]}, "penalty = 1: no such field"),
        ({"features.activation": ["tahn"]}, "did you mean 'tan'"),
    ],
)
def test_bad_parameters_are_refused(vary: dict[str, list[object]], says: str) -> None:
    with pytest.raises(de.InputError, match=says):
        de.curve(PROBLEM, vary)
