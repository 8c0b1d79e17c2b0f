"""The page of `dvc plots show`: drawn without a network."""

import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
from dvc_render.html import render_html
from dvc_render.vega import VegaRenderer

from bgbias.report import figures

DVC = Path(".dvc")
SEEN = ("clean", "swapped")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture
def page(tmp_path) -> Path:
    """A page of two versions, from the template that .dvc/config names: a curve, and what report writes of scores."""
    config = ConfigParser()
    config.read(DVC / "config")
    revs = ("HEAD", "workspace")
    points = [{"epoch": epoch, "val_map_at_r": epoch / 5, "rev": rev} for epoch in (1, 2) for rev in revs]
    scores = {"base": {"clean": {"map_at_r": 0.5}, "swapped": {"map_at_r": 0.25}}}
    front = [row | {"rev": rev} for row in figures.points(scores, "map_at_r").to_dict("records") for rev in revs]
    bars = [{"regime": "base", "view": view, "percent": row[view], "rev": row["rev"]} for row in front for view in SEEN]
    plots = [
        VegaRenderer(points, "curve", x="epoch", y="val_map_at_r", template="linear"),
        VegaRenderer(bars, "bars", x="percent", y="regime", template="bars", template_dir=str(DVC / "plots")),
        VegaRenderer(front, "front", x="clean", y="swapped", template="front", template_dir=str(DVC / "plots")),
    ]
    return Path(render_html(plots, tmp_path / "index.html", DVC / config["plots"]["html_template"]))


def test_the_page_fetches_nothing_and_holds_its_plots(page):
    written = page.read_text()
    assert "cdn.jsdelivr" not in written and "<script src" not in written
    assert all(f"vegaEmbed('#{name}'" in written for name in ("curve", "bars", "front"))
    assert '"val_map_at_r": 0.4' in written and '"swapped": 25.0' in written
    assert "<DVC_METRIC" not in written  # every place of the templates is filled


@pytest.mark.skipif(not BROWSER, reason="needs Chromium")
def test_a_browser_without_network_draws_every_plot(page):
    offline = ["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=10000", "--dump-dom"]
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", *offline, page.as_uri()]
    drawn = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert drawn.count('class="marks"') == 3
