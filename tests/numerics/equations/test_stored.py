"""Equations kept on disk: the same as derived ones, and never trusted when damaged."""

import json
import multiprocessing
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError
from inspect import getsource
from pathlib import Path

import numpy as np
import pytest

from detequiv.numerics.arithmetic import (
    BALLS,
    FLOATS,
    compiled,
    from_source,
    source_of,
)
from detequiv.numerics.equations import stored
from detequiv.numerics.equations.equations import NAMES, Equations
from detequiv.theory.models.potential import Model
from detequiv.theory.models.spiked import spiked_model, uncoupled_model
from detequiv.theory.precision import ONE_AT_A_TIME

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


@pytest.mark.parametrize(
    "damage",
    [
        *("", "{", "[]", '{"sources": 1}', '{"sources": []}', "[" * 100_000),
        *("cut", "altered", "another's"),
    ],
)
def test_damaged_files_are_made_again(damage: str, folder: Path) -> None:
    derived = Equations(MODEL, FLOATS)
    (file,) = folder.iterdir()
    whole = file.read_text()
    texts = {"cut": whole[:-200], "altered": whole.replace("return [", "return [1+", 1)}
    if damage == "another's":
        Equations(uncoupled_model(2), FLOATS)
        (other,) = set(folder.iterdir()) - {file}
        texts[damage] = other.read_text()
    file.write_text(texts.get(damage, damage))
    assert stored.read(file, NAMES) is None
    assert values(Equations(MODEL, FLOATS)) == values(derived)
    assert stored.read(file, NAMES) is not None


REST = "def _lambdifygenerated(alpha):\n    return [1]\n"


@pytest.mark.parametrize(
    "rest",
    [
        None,  # no such key
        *(1, [REST], "", "def f(", "\0", "(" * 1000, "2", REST + REST),
        *("-" * 10_000 + "1", "1" + "+1" * 100_000),  # out of memory, too deep
        REST.replace("1", "open('/dev/null')"),
        REST.replace("1", "__import__('os')"),
        REST.replace("1", "exp.__self__"),
        REST.replace("1", "*(lambda: (1,))()"),
    ],
)
def test_whole_files_without_our_code_are_made_again(
    rest: object, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived = Equations(MODEL, FLOATS)
    (file,) = folder.iterdir()
    sources = json.loads(file.read_text())["sources"] | {"rest": rest}
    if rest is None:
        del sources["rest"]
    stored.write(file, sources)
    assert values(Equations(MODEL, FLOATS)) == values(derived)
    monkeypatch.setattr(Equations, "_pieces", refuse)
    assert values(Equations(MODEL, FLOATS)) == values(derived)


def test_of_a_kept_text_only_the_function_is_run() -> None:
    text = REST.replace("[1]", "[exp(alpha)]").replace("alpha)", "alpha=1 / 0)", 1)
    function = from_source("1 / 0\n" + text, FLOATS)
    assert function(0.0) == [1.0]
    assert function.__globals__["__builtins__"] == {}


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="users are not told apart")
def test_what_others_may_have_written_is_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Equations(MODEL, FLOATS)
    (file,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )
    for path, own in ((folder, 0o700), (file, 0o600)):
        for others in (0o020, 0o002):
            path.chmod(own | others)
            assert stored.read(file, NAMES) is None
        path.chmod(own | 0o044)
        assert stored.read(file, NAMES) is not None
    folder.chmod(0o770)
    file.unlink()
    Equations(MODEL, FLOATS)
    assert not file.exists()
    folder.chmod(0o700)
    Equations(MODEL, FLOATS)
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    assert stored.read(file, NAMES) is None


def test_an_interrupt_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        assert list(folder.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Equations(MODEL, FLOATS)
    assert not list(folder.iterdir())


def test_another_functions_source_is_not_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what two threads do to each other: one place for the sources of all
    monkeypatch.setattr(compiled, "getsource", lambda _: REST)
    derived = values(Equations(MODEL, FLOATS))
    assert not folder.exists()
    monkeypatch.setattr(compiled, "getsource", getsource)
    assert values(Equations(MODEL, FLOATS)) == derived
    assert len(list(folder.iterdir())) == 1


def test_sources_are_found_while_other_threads_compile(folder: Path) -> None:
    models = MODEL, uncoupled_model(2), spiked_model(1), uncoupled_model(1)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda model: Equations(model, FLOATS), models))
    assert set(folder.iterdir()) == set(map(stored.place, models))


def test_compiling_and_its_source_are_one_step(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(1) as other:

        def watched(function: Callable[..., object]) -> str:
            assert not other.submit(ONE_AT_A_TIME.acquire, blocking=False).result()
            return getsource(function)

        monkeypatch.setattr(compiled, "getsource", watched)
        Equations(MODEL, FLOATS)
    assert len(list(folder.iterdir())) == 1


def test_a_function_without_source_has_none() -> None:
    for function in (lambda: [1], eval("lambda: [1]")):
        with pytest.raises((ValueError, OSError)):
            source_of(function)


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
    for module, name, other in (
        (stored, "version", lambda _: "another version"),
        (sys, "version_info", (3, 99, 0)),
        (stored, "ROOMS", stored.ROOMS[1:]),
    ):
        stored._code_digest.cache_clear()
        monkeypatch.setattr(module, name, other)
        names.add(stored.place(MODEL))
    stored._code_digest.cache_clear()
    assert len(names) == 8


def test_without_sources_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise PackageNotFoundError(name)

    for name, other in (("ROOMS", ("theory/no/room",)), ("version", unknown)):
        with monkeypatch.context() as changed:
            stored._code_digest.cache_clear()
            changed.setattr(stored, name, other)
            assert stored.place(MODEL) is None
            stored._code_digest.cache_clear()
    assert stored.place(MODEL) is not None


def test_the_directory_is_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETEQUIV_CACHE", "here")
    assert stored.place(MODEL) is None
    monkeypatch.delenv("DETEQUIV_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", os.path.abspath("elsewhere"))
    place = stored.place(MODEL)
    assert place is not None
    assert place.parent == Path("elsewhere/detequiv").absolute()
    home = Path("~").expanduser()
    for relative in ("", "elsewhere", "~/elsewhere"):
        monkeypatch.setenv("XDG_CACHE_HOME", relative)
        place = stored.place(MODEL)
        assert place is not None
        assert place.parent == home / ".cache/detequiv"
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # no home
    assert stored.place(MODEL) is None


def _write_and_read(file: Path) -> bool:
    sources = {"form": "x" * 100_000}
    for _ in range(50):
        stored.write(file, sources)
        if stored.read(file, sources) != sources:
            return False
    return True


def test_processes_do_not_see_each_others_halves(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert all(pool.map(_write_and_read, [tmp_path / "a" / "file"] * 3))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["file"]
