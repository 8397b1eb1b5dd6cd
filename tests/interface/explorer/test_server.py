"""The explorer by HTTP: its answers are those of the package, and nothing else is."""

import http.client
import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import sympy as sp
from click.testing import CliRunner

import detequiv as de
from detequiv.cli import main
from detequiv.commands.start.init import PRESETS
from detequiv.explorer.answers import PLACES, answer
from detequiv.explorer.form import form_of, problem_of, untrained
from detequiv.explorer.server import FILES, Server
from detequiv.figures.style import COLOURS
from detequiv.formats.problem_file import dump

TEXT = PRESETS["features"]
PROBLEM = problem_of(TEXT)
SAMPLES = "ridge.samples_per_dim"
BINARY = de.Target(function="z", labels="logit", slope=2)
PROBLEMS = {
    "features": PROBLEM,
    "network": problem_of(PRESETS["network"]),
    "shares": PROBLEM.with_values({"features.weights": ["1/2", "1/3", "1/6"]}),
    "covariance": replace(PROBLEM, inputs=de.Inputs(eigenvalues=[1, 3])),
    "labels": replace(PROBLEM, target=BINARY),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Serve the features' preset; slow answers come from a thread."""
    with ThreadPoolExecutor(1) as slow, Server(0, TEXT, slow) as serving:
        Thread(target=serving.serve_forever, daemon=True).start()
        yield serving
        serving.shutdown()


def send(
    server: Server, path: str, body: Any = None, **headers: str
) -> tuple[int, dict[str, str], Any]:
    """Send a request, a GET without a body; return status, headers, and what came."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    usual = {"Content-Type": "application/json"} | headers
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    if body is None:
        connection.request("GET", path, headers=headers)
    else:
        connection.request("POST", path, text, usual)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    is_json = reply.headers["Content-Type"] == "application/json"
    return (
        reply.status,
        dict(reply.headers),
        json.loads(content) if is_json else content,
    )


def ask(server: Server, part: str, **request: Any) -> Any:
    """Ask for a part of the page."""
    status, _, values = send(server, f"/answer/{part}", request)
    assert status == 200
    return values


def test_numbers_are_those_of_a_solve(server: Server) -> None:
    found = ask(server, "point", form={"penalty": "1/7"})
    solution = de.solve(PROBLEM.with_values({"ridge.penalty": "1/7"}))
    assert {name: text for name, _, _, text in found["numbers"]} == {
        name: solution.text(name) for name, *_ in found["numbers"]
    }
    assert len(found["numbers"]) == 6
    kappa = np.array(found["kappa"])
    assert np.array_equal(found["learned"], de.learned_function(solution, kappa))
    assert np.array_equal(found["target"], de.target_function(PROBLEM, kappa))


def test_a_curve_passes_through_the_point(server: Server) -> None:
    found = ask(server, "curve", form={"samples_per_dim": "12"})
    assert (found["x"][0], found["x"][-1]) == ("0.1", "12")
    there = de.solve(PROBLEM.with_values({SAMPLES: 12}))
    assert float(found["training_error"][-1]) == pytest.approx(
        float(there.training_error), rel=1e-9
    )


def test_a_width_has_numbers_of_its_own(server: Server) -> None:
    found = ask(server, "width", width="60", form={"values": "1.5"})
    problem = PROBLEM.with_values({"features.spike": "1.5"})
    solution = de.solve(problem, width=60)
    assert found["numbers"][0][3] == solution.text("generalization_error")
    middle = found["x"].index("1")
    curve = de.curve(problem, {SAMPLES: [1]}, width=60)
    assert found["generalization_error"][middle] == curve.points[0].text(
        "generalization_error"
    )


def test_spectra_are_those_before_and_after(server: Server) -> None:
    for part, problem in (("before", untrained(PROBLEM)), ("after", PROBLEM)):
        found, law = ask(server, part), de.spectrum(problem)
        assert np.allclose(
            found["density"], law.density(found["x"]), rtol=1e-9, atol=1e-12
        )
        mass = np.trapezoid(found["density"], found["x"])
        assert 1 - law.atom_at_zero == pytest.approx(mass, abs=0.02)
    before, after = ask(server, "before"), ask(server, "after")
    assert before["x"] != after["x"]
    outliers = ask(server, "outliers", width="300")
    assert outliers["after"] == [
        outlier.value for outlier in de.spectrum(PROBLEM, width=300).outliers
    ]


def test_points_are_the_draws_of_a_simulated_curve(server: Server) -> None:
    sizes = {"dimension": "20", "draws": "3", "seed": "5"}
    drawn = [ask(server, "draw", place=str(i), **sizes) for i in range(len(PLACES))]
    curve = de.curve(PROBLEM, {SAMPLES: list(PLACES)})
    done = curve.simulate(dimension=20, repetitions=3, rng=5)
    for name in ("generalization_error", "training_error"):
        mean, error = done.simulated(name)
        assert [row[name] for row in drawn] == [
            list(pair) for pair in zip(mean, error, strict=True)
        ]


def test_equations_come_as_mathml_and_as_latex(server: Server) -> None:
    found = ask(server, "equations")
    assert found["latex"] == de.derive(PROBLEM).latex()
    assert found["html"].count("<h3>") == found["latex"].count(r"\section{")
    # every formula and every symbol in prose has become an element
    assert found["html"].count("<math") == found["html"].count("</math>") > 40
    assert not re.search(r"\\|\$", found["html"])


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_state_is_a_file_that_gives_it_back(server: Server, name: str) -> None:
    problem = PROBLEMS[name]
    text = dump(problem)
    assert problem_of(text, tuple(form_of(problem).items())) == problem
    state = ask(server, "state", problem=text, form={"penalty": "0.3"})
    changed = problem.with_values({"ridge.penalty": "0.3"})
    assert problem_of(state["problem"]) == changed
    assert state["form"] == form_of(changed)


def test_a_layer_can_be_changed_there_and_back() -> None:
    form = form_of(PROBLEM) | {"layer": "network", "values": "1, -1/2", "step": "2"}
    network = problem_of(TEXT, tuple(form.items())).network
    assert network is not None
    assert (network.groups, network.step, network.readout[1]) == (
        2,
        2,
        -sp.Rational(1, 2),
    )
    turned = {"target.alignment": "1/2"}
    text = dump(PROBLEM.with_values(turned))
    assert problem_of(text, tuple(form.items())).target.alignment == 1
    back = form_of(PROBLEMS["network"]) | {"layer": "features", "values": "1.5"}
    features = problem_of(PRESETS["network"], tuple(back.items())).features
    assert features is not None
    assert features.groups == 1


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"activation": "__import__('os').getcwd()"}, "features.activation"),
        ({"activation": "lambda: z"}, "features.activation"),
        ({"function": "z.__class__"}, "target.function"),
        ({"values": "2, x"}, "features.spike"),
        ({"penalty": "-1"}, "ridge.penalty"),
        ({"layer": "forest"}, "layer"),
    ],
)
def test_what_cannot_be_used_names_its_control(
    server: Server, form: dict[str, str], field: str
) -> None:
    failure = ask(server, "state", form=form)["failure"]
    assert failure["field"] == field
    assert failure["message"].startswith(f"{field} = ")
    assert ask(server, "curve", form=form) == {"failure": failure}


@pytest.mark.parametrize(
    ("part", "request_", "field"),
    [
        ("width", {}, "width"),
        ("width", {"width": "1e3"}, "width"),
        ("draw", {"dimension": "2000", "draws": "2"}, "dimension"),
        ("draw", {"dimension": "20", "draws": "2", "place": "6"}, "place"),
        ("state", {"problem": "[target"}, "file"),
        ("state", {"problem": "#" * 30_000}, "file"),
        ("point", {"problem": f"[inputs]\nfile='{__file__}'\n{TEXT}"}, "inputs.file"),
    ],
)
def test_what_cannot_be_answered_is_said(
    server: Server, part: str, request_: dict[str, str], field: str
) -> None:
    assert ask(server, part, **request_)["failure"]["field"] == field


def test_a_part_may_fail_and_the_others_not(server: Server) -> None:
    text = dump(PROBLEMS["labels"])
    assert "regression" not in ask(server, "point", problem=text)
    failure = ask(server, "equations", problem=text)["failure"]
    assert failure["field"] == "target.labels"


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/", None, {"Host": "example.org"}, 403),
        ("/answer/state", {}, {"Host": "example.org"}, 403),
        ("/answer/state", {}, {"Content-Type": "text/plain"}, 415),
        ("/answer/state", b"[1]", {}, 400),
        ("/answer/state", b"{", {}, 400),
        ("/answer/state", {"form": 1}, {}, 400),
        ("/answer/state", b" " * 100_001, {}, 413),
        ("/answer/answer", {}, {}, 404),
        ("/server.py", None, {}, 404),
        ("/../server.py", None, {}, 404),
    ],
)
def test_nothing_else_is_served(
    server: Server, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    found, _, values = send(server, path, body, **headers)
    assert found == status
    assert set(values) == {"failure"}


def test_only_this_machine_is_listened_to(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.server_port}/"


def test_pages_fetch_from_no_other_host(server: Server) -> None:
    for path, (name, kind) in FILES.items():
        status, headers, content = send(server, path)
        assert status == 200
        assert headers["Content-Type"].startswith(kind)
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        hosts = set(re.findall(rb"[a-z]*://[^/\"' ]*", content))
        assert hosts <= {b"http://www.w3.org"}, name  # the name of SVG, not a place


def test_two_pages_at_once_do_not_mix(server: Server) -> None:
    penalties = [f"{k}/9" for k in range(1, 9)]

    def error(penalty: str) -> str:
        found = ask(server, "point", form={"penalty": penalty})
        return str(found["numbers"][0][3])

    with ThreadPoolExecutor(8) as pages:
        together = list(pages.map(error, penalties))
    assert together == [
        de.solve(PROBLEM.with_values({"ridge.penalty": p})).text("generalization_error")
        for p in penalties
    ]
    assert len(set(together)) == 8


class Labels(HTMLParser):
    """The fields of a page, and what labels them."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: set[str] = set()
        self.labels: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("input", "select"):
            self.fields.add(values.get("id") or values["data-for"] or "")
        if tag == "label":
            self.labels.add(values["for"] or "")


def page_text(name: str) -> str:
    """Text of a file of the page."""
    return files("detequiv.explorer").joinpath(name).read_text("utf-8")


def test_every_field_has_a_label() -> None:
    page = Labels()
    page.feed(page_text("page.html"))
    assert page.fields == page.labels
    assert form_of(PROBLEM).keys() <= page.fields


def test_the_page_has_the_colours_of_all_figures() -> None:
    line = re.search(r"COLOURS = \[([^\]]*)\]", page_text("plot.js"))
    assert line is not None
    assert tuple(re.findall(r'"(#\w+)"', line[1])) == COLOURS


def test_the_command_prints_its_address_and_ends_on_interrupt(tmp_path: Path) -> None:
    file = tmp_path / "problem.toml"
    file.write_text(TEXT, "utf-8")
    script = "from detequiv.cli import main; main()"
    arguments = ["explore", str(file), "--no-browser", "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
        with urllib.request.urlopen(url, timeout=60) as page:
            assert b"<title>detequiv explorer</title>" in page.read()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "Ctrl-C ends it\n")


def test_several_directions_have_numbers_and_no_function() -> None:
    text = TEXT.replace("spike = [2, -2, 0]", "spike = [[2, 1], [-2, 0], [0, 1]]")
    found = answer("point", {"problem": text, "form": {}})
    assert found["numbers"]
    assert "learned" not in found


def test_a_problem_without_a_layer_is_not_served(
    tmp_path: Path,
) -> None:
    file = tmp_path / "inputs.toml"
    file.write_text(
        '[inputs]\neigenvalues = [1, 2]\n[target]\nfunction = "z"\n'
        "[ridge]\nsamples_per_dim = 2\nwidth_per_dim = 1\npenalty = 1\n",
        "utf-8",
    )
    result = CliRunner().invoke(main, ["explore", str(file), "--no-browser"])
    assert result.exit_code == 2
    assert "without a layer" in result.stderr
