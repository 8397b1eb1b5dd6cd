"""Equations kept on disk: the same as derived ones, and never trusted when damaged."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from detequiv.numerics.arithmetic import BALLS, FLOATS
from detequiv.numerics.equations import stored
from detequiv.numerics.equations.equations import Equations
from detequiv.theory.models.potential import Model
from detequiv.theory.models.spiked import spiked_model, uncoupled_model

MODEL = spiked_model(2)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DETEQUIV_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def values(equations: Equations) -> list[float]:
    """Some of all functions, at random places."""
    rng = np.random.default_rng(3)
    model = equations.model
    x, y, p, f, inverse = (
        list(rng.uniform(0.5, 2, len(group)))
        for group in (
            *(model.unknowns.symbols, model.coefficients, model.parameters),
            *(model.fields, equations.inverse),
        )
    )
    by_source, by_ridge = equations.sources
    return [
        *(*equations.form(f, p), *equations.average([1.3], p)),
        *(*equations.local_gradient(x, inverse, p), *equations.start(p)),
        *(*equations.local_hessian(x, inverse, p), *equations.penalty(x, p)),
        *(*equations.offsets(f, p), *equations.slopes(f, p), *equations.rest(f, p)),
        *(*equations.weight([1.3], p), *equations.response([1.3], p)),
        *(*equations.energy_gradient(x, y, p), *by_source[0](x, inverse, p)),
        *(*by_ridge[1]([1.3], p), *by_ridge[2](x, y, p)),
        *equations.quantities([1.0, 2.0, 3.0], x, p),
    ]


def refuse(_: object) -> None:
    raise AssertionError("derived anew")


@pytest.mark.parametrize("model", [MODEL, uncoupled_model(2)])
def test_what_is_kept_is_what_was_derived(
    model: Model, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived = Equations(model, FLOATS)
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr(Equations, "_pieces", refuse)
    kept = Equations(model, FLOATS)
    assert values(kept) == values(derived)
    # the code is that of any arithmetic
    balls = map(float, values(Equations(model, BALLS)))
    np.testing.assert_allclose(list(balls), values(derived), rtol=1e-13)


@pytest.mark.parametrize("damage", ["", "{", "[]", "cut", "altered", '{"sources": 1}'])
def test_damaged_files_are_made_again(damage: str, folder: Path) -> None:
    derived = Equations(MODEL, FLOATS)
    (file,) = folder.iterdir()
    whole = file.read_text()
    texts = {"cut": whole[:-200], "altered": whole.replace("Q(", "Q(2*", 1)}
    file.write_text(texts.get(damage, damage))
    assert values(Equations(MODEL, FLOATS)) == values(derived)
    assert stored.read(file) is not None


def test_nothing_is_kept_where_nothing_can_be(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_text("a file in the place of the directory")
    derived = values(Equations(MODEL, FLOATS))
    monkeypatch.setenv("DETEQUIV_CACHE", "off")
    assert stored.place(MODEL) is None
    assert values(Equations(MODEL, FLOATS)) == derived


def test_the_name_tells_models_and_versions_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = MODEL, MODEL.at_width, spiked_model(3), spiked_model(2, 2)
    names = {stored.place(m) for m in (*models, uncoupled_model(2))}
    monkeypatch.setattr(stored, "_code_digest", lambda: "another version")
    assert len(names | {stored.place(MODEL)}) == 6
    monkeypatch.delenv("DETEQUIV_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert str(stored.place(MODEL)).startswith("/elsewhere/detequiv/")


def _write_and_read(file: Path) -> bool:
    sources = {"form": "x" * 100_000}
    for _ in range(50):
        stored.write(file, sources)
        if stored.read(file) != sources:
            return False
    return True


def test_processes_do_not_see_each_others_halves(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert all(pool.map(_write_and_read, [tmp_path / "a" / "file"] * 3))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["file"]
