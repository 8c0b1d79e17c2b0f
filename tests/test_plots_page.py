"""The page of `dvc plots show`: drawn without a network."""

import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
from dvc_render.html import render_html
from dvc_render.vega import VegaRenderer

DVC = Path(".dvc")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture
def page(tmp_path) -> Path:
    """A page with a curve of two points, from the template that .dvc/config names."""
    config = ConfigParser()
    config.read(DVC / "config")
    points = [{"epoch": epoch, "val_map_at_r": epoch / 5, "rev": "workspace"} for epoch in (1, 2)]
    curve = VegaRenderer(points, "curve", x="epoch", y="val_map_at_r", template="linear")
    return Path(render_html([curve], tmp_path / "index.html", DVC / config["plots"]["html_template"]))


def test_the_page_fetches_nothing_and_holds_the_curve(page):
    written = page.read_text()
    assert "cdn.jsdelivr" not in written and "<script src" not in written
    assert "vegaEmbed('#curve'" in written and '"val_map_at_r": 0.4' in written


@pytest.mark.skipif(not BROWSER, reason="needs Chromium")
def test_a_browser_without_network_draws_the_curve(page):
    offline = ["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=10000", "--dump-dom"]
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", *offline, page.as_uri()]
    drawn = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert 'class="marks"' in drawn
