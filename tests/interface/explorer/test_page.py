"""The explorer in a real browser: `make browser`, where Chromium is installed."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import detequiv as de
from detequiv.commands.start.init import PRESETS

pytestmark = pytest.mark.browser
CHROMIUM = next(
    filter(
        None,
        map(shutil.which, ("chromium", "chromium-headless-shell", "google-chrome")),
    ),
    None,
)
SECONDS = 60
SCRIPT = "from detequiv.cli import main; main()"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Open a headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    playwright.expect.set_options(timeout=1000 * SECONDS)
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run `detequiv explore` and read its address."""
    file = tmp_path_factory.mktemp("explorer") / "problem.toml"
    file.write_text(PRESETS["network"], "utf-8")
    arguments = ["explore", str(file), "--no-browser", "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    """Open the page, and fail if it says anything on the console."""
    opened = open_page(browser, url)
    yield opened
    opened.close()
    assert opened.said == []


def open_page(browser: Any, url: str) -> Any:
    """Open a page of a browser's own profile and wait for all its answers."""
    page = browser.new_context(
        viewport={"width": 1300, "height": 900}, accept_downloads=True
    ).new_page()
    page.set_default_timeout(1000 * SECONDS)
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: check_host(page, url, request.url))
    page.goto(url)
    settle(page)
    return page


def check_host(page: Any, url: str, asked: str) -> None:
    """Note a request to another host as a fault of the page."""
    asks = urlsplit(asked)
    if asks.scheme in ("http", "https") and asks.netloc != urlsplit(url).netloc:
        page.said.append(f"asked {asked}")


def settle(page: Any) -> None:
    """Wait until every part has been answered."""
    from playwright.sync_api import expect

    expect(page.locator("#status")).to_have_text("done")


def figure(page: Any, name: str) -> str:
    """SVG text of a figure."""
    return str(page.locator(f"#{name}").inner_html())


def error_shown(page: Any) -> str:
    """Generalisation error that is shown."""
    return str(page.locator("[data-quantity=generalization_error]").inner_text())


def set_slider(page: Any, name: str, place: int) -> None:
    """Move a slider as a finger does."""
    page.locator(f"input[type=range][data-for={name}]").evaluate(
        "(slider, place) => { slider.value = place;"
        " slider.dispatchEvent(new Event('input')); }",
        place,
    )


def saved(page: Any, button: str) -> str:
    """Text of the file that a button saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path()).read_text("utf-8")


def test_all_figures_are_there(page: Any) -> None:
    for name in ("curve", "learned", "spectrum"):
        assert figure(page, name).count("<path") >= 3
    assert page.locator("#equations math").count() > 40
    assert error_shown(page) == de.solve(de.Problem.from_tables(_preset())).text(
        "generalization_error"
    )


def test_a_slider_moves_curve_function_spectrum_and_link(page: Any) -> None:
    before = [figure(page, name) for name in ("curve", "learned", "spectrum")]
    set_slider(page, "step", 150)
    settle(page)
    after = [figure(page, name) for name in ("curve", "learned", "spectrum")]
    assert all(a != b for a, b in zip(before, after, strict=True))
    assert page.input_value("#step") == "0.9"
    assert "step = 0.9" in parse_qs(urlsplit(page.url).query)["problem"][0]


def test_the_saved_file_gives_the_numbers_shown(page: Any, tmp_path: Path) -> None:
    page.fill("#values", "1, -1/3")
    page.fill("#penalty", "1/7")
    page.fill("#activation", "erf(z)")
    from playwright.sync_api import expect

    expect(page.locator("#problem")).to_contain_text('"1/7"')
    expect(page.locator("#problem")).to_contain_text("erf")
    settle(page)
    file = tmp_path / "problem.toml"
    file.write_text(saved(page, "Save problem.toml"), "utf-8")
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, "solve", str(file), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout)["generalization_error"] == error_shown(page)


def test_a_link_reproduces_the_state(browser: Any, page: Any) -> None:
    page.select_option("#layer", "features")
    page.fill("#width", "80")
    page.fill("#samples_per_dim", "3")
    from playwright.sync_api import expect

    expect(page.locator("#problem")).to_contain_text("samples_per_dim = 3")
    expect(page.locator("#numbers")).to_contain_text("p = 80")
    settle(page)
    link = page.locator("#link").evaluate("link => link.href")
    other = open_page(browser, link)
    assert error_shown(other) == error_shown(page)
    assert other.input_value("#width") == "80"
    assert other.locator("#step-control").is_hidden()
    assert other.said == []
    other.context.close()


def test_two_browsers_do_not_mix(browser: Any, url: str) -> None:
    first, second = (open_page(browser, url) for _ in range(2))
    for place in (300, 500, 700):  # both at once, without waiting
        set_slider(first, "penalty", place)
        set_slider(second, "noise", place)
    settle(first)
    settle(second)
    preset = de.Problem.from_tables(_preset())
    for page, name, control in (
        (first, "ridge.penalty", "#penalty"),
        (second, "target.noise", "#noise"),
    ):
        problem = preset.with_values({name: page.input_value(control)})
        assert error_shown(page) == de.solve(problem).text("generalization_error")
        assert page.said == []
        page.context.close()


def test_a_bad_expression_gets_a_message_and_is_forgotten(page: Any) -> None:
    from playwright.sync_api import expect

    before = page.input_value("#activation")
    page.fill("#activation", "__import__('os')")
    alert = page.locator("#error[role=alert]")
    expect(alert).to_contain_text("network.activation = __import__('os')")
    assert page.get_attribute("#activation", "aria-invalid") == "true"
    page.fill("#activation", before)
    expect(alert).to_be_empty()
    assert page.get_attribute("#activation", "aria-invalid") is None
    settle(page)


def test_simulated_points_are_added_and_go_with_their_problem(page: Any) -> None:
    from playwright.sync_api import expect

    circles = figure(page, "curve").count("<circle")
    page.fill("#dimension", "20")
    page.get_by_role("button", name="Add simulated points").click()
    expect(page.locator("#draw-note")).to_contain_text("--simulate d=20,reps=4")
    assert figure(page, "curve").count("<circle") == circles + 2 * 6 + 1  # the legend
    rows = saved(page, "Save CSV of the learning curve").splitlines()
    assert rows[0] == "series,x,y,standard_error"
    assert sum(bool(row.split(",")[3]) for row in rows[1:]) == 12
    set_slider(page, "noise", 20)
    settle(page)
    assert figure(page, "curve").count("<circle") == circles


def test_a_saved_figure_stands_alone(page: Any) -> None:
    text = saved(page, "Save SVG of the spectrum of the features")
    assert text.startswith("<svg")
    assert "[network]" in text
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]


def test_keyboard_alone_reaches_everything(page: Any) -> None:
    page.locator("#layer").focus()
    reached = set()
    for _ in range(60):
        reached.add(
            page.evaluate(
                "document.activeElement.id || "
                "document.activeElement.dataset.for + ' slider'"
            )
        )
        page.keyboard.press("Tab")
    named = {"activation", "values", "step", "step slider", "simulate", "toml", "link"}
    assert named <= reached
    slider = page.locator("input[type=range][data-for=step]")
    slider.focus()
    before = error_shown(page)
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    settle(page)
    assert error_shown(page) != before
    assert slider.get_attribute("aria-valuetext") == page.input_value("#step")


@pytest.mark.parametrize("width", [1300, 400])
def test_nothing_is_cut_and_axe_finds_nothing(page: Any, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.set_viewport_size({"width": width, "height": 900})
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    found = axe.Axe().run(page).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []


def _preset() -> Any:
    """Tables of the problem that the page begins with."""
    import tomllib

    return tomllib.loads(PRESETS["network"])
