"""Every page's main path in a real browser, a real training run among them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.studio.conftest import FLAGS, WAIT, png, texts_table

SMALL = "scratch:test_resnet"
WIDTHS = ((1280, 900), (390, 844))


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(chromium), args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A new visitor's page; a fault of a script, or a request to anywhere else, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=address)
    context.set_default_timeout(WAIT)
    opened, faults = context.new_page(), []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", lambda request: faults.append(request.url) if _strange(request.url, address) else None)
    yield opened
    context.close()
    assert faults == []


def _strange(url: str, address: str) -> bool:
    return not url.startswith((address, "blob:", "data:"))


def open_lab(page: Page, task: str) -> None:
    page.goto(f"/#/lab?task={task}&backbone={SMALL if task == 'given-1' else 'bundled:minilm'}")
    expect(page.locator("#train")).to_be_enabled(timeout=WAIT)


def no_text_is_cut(page: Page) -> list[Any]:
    """Elements that stick out of the page; tables scroll by themselves."""
    found: list[Any] = page.evaluate(
        """() => { const width = document.documentElement.clientWidth;
        return [...document.querySelectorAll('main *, header *')].filter(one => {
            const box = one.getBoundingClientRect();
            return box.width && box.right > width + 1 && !one.closest('.table') && !one.closest('.skip');
        }).map(one => one.outerHTML.slice(0, 80)); }"""
    )
    return found


def test_a_run_from_the_handle_to_a_prediction(page: Page, tmp_path: Path) -> None:
    open_lab(page, "given-1")
    handle = page.get_by_role("slider", name="Boundary")
    handle.focus()
    page.keyboard.press("End")
    expect(page.locator(".what")).to_contain_text("feature extraction")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".what")).to_contain_text("partial fine tuning")
    expect(page.locator(".block.trained")).to_have_count(1)
    page.keyboard.press("Home")
    expect(page.locator(".what")).to_contain_text("full fine tuning")
    expect(page.locator(".block.frozen")).to_have_count(0)
    page.locator(".options summary").click()
    page.fill("#epochs", "2")
    page.click("#train")
    page.reload()  # the run goes on without the page
    run = page.locator("article.run")
    expect(run.locator(".score")).to_be_visible(timeout=WAIT)
    expect(run).to_contain_text("Moved away from what it knew")
    expect(page.locator(".curves .chart")).to_have_count(2)
    run.get_by_role("link", name="Predict").click()
    (tmp_path / "one.png").write_bytes(png(64))
    page.set_input_files("#picture", tmp_path / "one.png")
    expect(page.locator(".heat rect")).to_have_count(64, timeout=WAIT)
    expect(page.locator(".bars li")).to_have_count(2)


def test_a_run_can_be_cancelled(page: Page) -> None:
    open_lab(page, "given-1")
    page.get_by_role("slider", name="Boundary").focus()
    page.keyboard.press("Home")
    page.locator(".options summary").click()
    page.fill("#epochs", "900")
    page.click("#train")
    page.locator("button.cancel").click()
    expect(page.locator("article.run")).to_contain_text("cancelled")


def test_ones_own_table_is_uploaded_and_looked_at(page: Page, tmp_path: Path) -> None:
    open_lab(page, "given-0")
    (tmp_path / "mail.csv").write_text(texts_table())
    page.set_input_files("#upload", tmp_path / "mail.csv")
    expect(page.locator("#task option:checked")).to_have_text("mail (yours)", timeout=WAIT)
    expect(page.locator(".look")).to_contain_text("2 classes")
    (tmp_path / "bad.zip").write_bytes(b"MZ not a zip")
    page.set_input_files("#upload", tmp_path / "bad.zip")
    expect(page.get_by_role("alert").first).to_contain_text("damaged or no zip")


def test_strategies_are_compared(page: Page) -> None:
    page.goto(f"/#/compare?task=given-1&backbone={SMALL}")
    expect(page.locator("#compare")).to_be_enabled(timeout=WAIT)
    page.uncheck("input[value=full-fine-tuning]")
    page.fill("#shots", "2, 4, all")
    page.fill("#compare-epochs", "1")
    page.click("#compare")
    expect(page.locator(".receipt")).to_contain_text("from scratch", timeout=WAIT)
    expect(page.locator(".pair .chart")).to_have_count(2)
    page.locator("#labels").focus()
    before = page.locator(".planner output").inner_text()
    page.keyboard.press("Home")
    assert page.locator(".planner output").inner_text() != before


def test_a_scenario_is_answered_graded_and_tried(page: Page) -> None:
    page.goto("/#/scenarios")
    question = page.locator(".question[data-number='2']")
    question.locator("input[value=c]").check()
    question.get_by_role("button", name="Check my answer").click()
    expect(question.locator(".grade")).to_contain_text("Yes", timeout=WAIT)
    expect(question.locator(".chart")).to_be_visible()
    question.get_by_role("button", name="Try it in the lab").click()
    expect(page.locator("#task option:checked")).to_contain_text("Scenario 2", timeout=WAIT)


def test_a_sentence_is_seen_stage_by_stage(page: Page) -> None:
    page.goto("/#/ideas?task=given-0&backbone=bundled:minilm")
    page.locator("#look-text").fill("where is my parcel?")
    page.click("#look")
    expect(page.locator(".looks li")).to_have_count(7, timeout=WAIT)
    expect(page.locator(".sides")).to_contain_text("What is replaced")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["ideas", "lab", "compare", "scenarios", "predict"])
def test_no_page_sticks_out_of_the_screen(page: Page, name: str, width: tuple[int, int]) -> None:
    page.set_viewport_size({"width": width[0], "height": width[1]})
    page.goto(f"/#/{name}?task=given-0")
    ready = {
        "ideas": "#look",
        "lab": "#train",
        "compare": "#compare:enabled",
        "scenarios": ".question",
        "predict": ".card",
    }
    page.locator(ready[name]).first.wait_for()
    page.wait_for_timeout(300)
    assert no_text_is_cut(page) == []


def test_the_theme_is_remembered(page: Page) -> None:
    page.goto("/#/predict")
    page.click("#theme")
    page.click("#theme")
    expect(page.locator("#theme")).to_have_text("Theme: dark")
    page.reload()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    page.click("#theme")
    assert dark != page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_what_is_uploaded_is_text_and_never_markup(page: Page, tmp_path: Path) -> None:
    open_lab(page, "given-0")
    evil = "<img src=x onerror=alert(1)>"
    rows = [f"{evil} parcel {n},{evil}" for n in range(12)] + [f"refund {n} please,refund" for n in range(12)]
    (tmp_path / "evil.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    page.set_input_files("#upload", tmp_path / "evil.csv")
    expect(page.locator(".look")).to_contain_text(evil, timeout=WAIT)
    assert page.locator("main img[src=x]").count() == 0
