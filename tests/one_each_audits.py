"""Photos of one product each, and audits of embedders whose answer is known, by which they have to find themselves."""

import pytest
from audited_shop import SIDE, hue, run
from discs import disc, save

PRODUCTS = 16
CHANCE = 1 / PRODUCTS


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory):
    """Photos of one product each, in no class folders, and masks: discs and grounds of different colours."""
    made = tmp_path_factory.mktemp("catalogue")
    for number in range(PRODUCTS):
        colours = hue(number / PRODUCTS, 1), hue(0.5 + number / PRODUCTS, 0.6)
        save(made, f"{number:02}.png", disc((SIDE, SIDE + 4), *colours))
    return made


def one_each(shop, catalogue, out, name, **options):
    given = {"photos": str(catalogue / "photos"), "masks": str(catalogue / "masks"), "one_each": True}
    return run(shop, out, name, **given | options) | {"folder": out}


@pytest.fixture(scope="session")
def audited(shop, catalogue, tmp_path_factory):
    """Audits of embedders whose answer is known, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shop)
        names = ("object_alone", "background_alone", "noise", "mixture")
        return {name: one_each(shop, catalogue, tmp_path_factory.mktemp(name), name) for name in names}
