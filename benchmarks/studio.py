"""The studio under a browser and under visitors: page ready, handle to expectation, 20 visitors during a training run.

    uv run python benchmarks/studio.py

It starts a studio of its own with the embedded messages, asks for a recommendation, moves the handle in chromium, and
then lets 20 visitors look at tasks, surveys and jobs while one of them trains. Rows go to `benchmarks/results/`.
"""

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Page, sync_playwright

RESULTS = Path(__file__).parent / "results" / "studio.json"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
VISITORS = 20
SECONDS = 30.0  # that the visitors stay
PAUSE = 0.7  # between a visitor's looks, as pages do it
PATIENCE = 600.0
BACKBONE = "bundled:minilm"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "regraft.cli", "studio", "--port", "0", "--folder", folder]
        begun = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                line = server.stdout.readline() if server.stdout else ""
                address = re.findall(r"http://\S+?(?=/\s)", line)[0]
                rows = {"server_up_seconds": time.perf_counter() - begun, **in_browser(address)}
                rows |= visited(address)
            finally:
                server.terminate()
    rows |= {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    RESULTS.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    for name, value in rows.items():
        print(f"{name}: {value:.3f}" if isinstance(value, float) else f"{name}: {value}")


def in_browser(address: str) -> dict[str, Any]:
    """Seconds until pages stand, and milliseconds from a key on the handle to the new expectation."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(1000 * PATIENCE)
        ready = [opened(page, address, name) for name in ("predict", "compare", "lab", "ideas", "scenarios")]
        page.goto(f"{address}/#/lab?task=intents")
        page.locator("#recommend").click()
        page.locator(".advice .rules").wait_for(state="attached")
        moves = [moved(page, key) for key in ["ArrowLeft"] * 6 + ["ArrowRight"] * 6 + ["Home", "End"] * 4]
        browser.close()
    return {
        "page_ready_seconds_first": ready[0],
        "page_ready_seconds_most": max(ready),
        "handle_to_expectation_ms_median": statistics.median(spent for spent, _ in moves),
        "handle_to_expectation_ms_most": max(spent for spent, _ in moves),
        "handle_moves": len(moves),
        "handle_moves_with_new_words": sum(changed for _, changed in moves),
    }


def opened(page: Page, address: str, name: str) -> float:
    """Seconds from asking for a page to its being drawn."""
    page.goto("about:blank")
    begun = time.perf_counter()
    page.goto(f"{address}/#/{name}")
    page.locator(f"html[data-ready='{name}']").wait_for(state="attached")
    return time.perf_counter() - begun


def moved(page: Page, key: str) -> tuple[float, int]:
    """Milliseconds from the key to the next painted frame with the new expectation, and whether its words changed."""
    spent, changed = page.evaluate(
        """async key => {
            const handle = document.querySelector('.handle'), said = document.querySelector('.expected');
            const before = said.textContent, begun = performance.now();
            handle.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
            const changed = said.textContent !== before ? 1 : 0;
            await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
            return [performance.now() - begun, changed];
        }""",
        key,
    )
    return spent, changed


def visited(address: str) -> dict[str, Any]:
    """20 visitors during a training run: requests, errors, and how long the slowest took."""
    with httpx2.Client(base_url=address, headers={"X-Regraft": "1"}, timeout=PATIENCE) as trainer:
        wanted = {"verb": "fit", "task": "intents", "backbone": BACKBONE, "strategy": "full-fine-tuning"}
        job = trainer.post("/api/jobs", json={**wanted, "settings": {"epochs": 200}}).json()["name"]
        while trainer.get(f"/api/jobs/{job}").json()["job"]["state"] == "waiting":
            time.sleep(0.1)
        seconds: list[float] = []
        errors: list[str] = []
        crowd = [threading.Thread(target=look_around, args=(address, seconds, errors)) for _ in range(VISITORS)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
        state = trainer.get(f"/api/jobs/{job}").json()["job"]["state"]
        trainer.post(f"/api/jobs/{job}/cancel")
    return {
        "visitors": VISITORS,
        "visitor_requests": len(seconds),
        "visitor_errors": len(errors),
        "visitor_first_error": errors[0] if errors else "",
        "visitor_seconds_median": statistics.median(seconds),
        "visitor_seconds_p95": statistics.quantiles(seconds, n=20)[-1],
        "visitor_seconds_most": max(seconds),
        "training_state_after": state,
    }


def look_around(address: str, seconds: list[float], errors: list[str]) -> None:
    """What a page asks for, again and again."""
    places = ["/", "/pages/lab.js", "/api/tasks", "/api/tasks/intents", "/api/backbones", "/api/jobs"]
    places.append(f"/api/tasks/intents/survey?backbone={BACKBONE}")
    until = time.perf_counter() + SECONDS
    with httpx2.Client(base_url=address, headers={"X-Regraft": "1"}, timeout=PATIENCE) as visitor:
        while time.perf_counter() < until:
            for place in places:
                begun = time.perf_counter()
                try:
                    answer = visitor.get(place)
                    if answer.status_code != 200:
                        errors.append(f"{place}: {answer.status_code}")
                except httpx2.HTTPError as error:
                    errors.append(f"{place}: {error!r}")
                seconds.append(time.perf_counter() - begun)
            time.sleep(PAUSE)


if __name__ == "__main__":
    main()
