"""What changes no photo changes no figure: files beside them, other forms of names and masks, turned photos."""

import shutil

import numpy as np
import pytest
from audited_shop import run
from discs import save
from PIL import ExifTags, Image, ImageOps
from sent_photos import CLASSES, SIZE, drawn

from bgbias.errors import InputError

pytestmark = pytest.mark.usefixtures("in_the_shop")
PHOTOS = 4


@pytest.fixture
def plain(tmp_path):
    """Photos of discs at different places, their colour the class's, on grounds of which no two are alike; masks."""
    rng = np.random.default_rng(0)
    for kind in range(CLASSES):
        for number in range(PHOTOS):
            save(tmp_path, f"class{kind}/{number}.png", drawn(rng, kind))
    return tmp_path


def audited(shop, folder):
    masks, photos = folder / "masks", str(folder / "photos")
    return run(shop, folder / "out", "background_alone", photos=photos, masks=str(masks) if masks.is_dir() else None)


def of_embedder(found):
    """The figures alone, without names of classes, and without marks of files."""
    classes = [{**of, "class": None} for of in found["second_masks"]["classes"]]
    figures = {name: of for name, of in found.items() if name not in ("masks", "made_with")}
    return figures | {"second_masks": found["second_masks"] | {"classes": classes, "mark": None}}


def small(photo, path):
    photo.resize((SIZE[0] // 2, SIZE[1] // 2)).save(path, quality=85)


def test_thumbnails_are_counted_and_what_is_found_without_them_is_said(shop, plain):
    shutil.rmtree(plain / "masks")  # GrabCut's
    before = audited(shop, plain)
    assert before["near_duplicates"] == {
        "photos": 0, "pair_count": 0, "pairs": [], "said": "", "clean_without": None, "drop_without": None}  # fmt: skip
    assert "near-duplicates" not in " ".join(before["verdict"])
    for path in sorted((plain / "photos").rglob("*.png")):
        small(Image.open(path), path.with_name(f"{path.stem}_small.jpg"))
    found = audited(shop, plain)
    clean, doubles = (of["matrix"]["clean"]["clean"]["recall_at_1"]["value"] for of in (before, found))
    assert clean < 0.5 and doubles > 0.9  # it sees nothing but the ground
    near = found["near_duplicates"]
    assert (near["photos"], near["pair_count"]) == (2 * CLASSES * PHOTOS, CLASSES * PHOTOS)
    assert near["pairs"][0] == ["class0/0.png", "class0/0_small.jpg"]
    assert near["clean_without"] == before["matrix"]["clean"]["clean"]
    assert near["drop_without"]["recall_at_1"]["value"] < found["drop"]["recall_at_1"]["value"] - 0.3
    (said,) = [sentence for sentence in found["verdict"] if "near-duplicates" in sentence]
    assert said.startswith("40 of 40 photos are near-duplicates (recompressed, resized or slightly cropped; 20 pairs,")
    drop = near["drop_without"]["recall_at_1"]["value"]
    assert said.endswith(
        f"Without the later one of each two, Recall@1 of the photos as they are is {100 * clean:.1f} %, and swapping "
        f"backgrounds costs {100 * drop:.1f} points; no effect is shown."
    )


def test_a_near_duplicate_in_another_class_is_called_mislabelled(shop, plain):
    shutil.rmtree(plain / "masks")
    small(Image.open(plain / "photos/class0/0.png"), plain / "photos/class1/9.jpg")
    said = " ".join(audited(shop, plain)["verdict"])
    assert "Of two classes, one of them wrong: 1 pair, such as class0/0.png = class1/9.jpg." in said


def thumbnails_of_a_nas(folder):
    for path in sorted((folder / "photos").rglob("*.png")):
        kept = path.parent / "@eaDir" / path.name
        kept.mkdir(parents=True)
        small(Image.open(path), kept / "SYNOPHOTO_THUMB_M.jpg")
    (folder / "photos/.cache").mkdir()
    small(Image.open(path), folder / "photos/.cache/1.jpg")
    (folder / "photos/class0/notes.txt").write_text("of no concern")


def masks_as(change):
    def apply(folder):
        for path in sorted((folder / "masks").rglob("*.png")):
            mask = np.asarray(Image.open(path))
            change(mask, np.asarray(Image.open(folder / "photos" / path.relative_to(folder / "masks")))).save(path)

    return apply


def names_in_another_form(folder):
    """Half of each class lies in a list under a name that looks the same."""
    odd = {"class0": (" a\u00a0pear", "a  pear "), "class4": ("\u00c4pfel", "A\u0308pfel")}  # in the same order
    lines = ["path,class"]
    for number, path in enumerate(sorted((folder / "photos").rglob("*.png"))):
        names = odd.get(path.parent.name, (path.parent.name,))
        lines.append(f"{path.relative_to(folder / 'photos').as_posix()},{names[number % len(names)]}")
    (folder / "photos/photos.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


NOTHING = {
    "thumbnails of a NAS": thumbnails_of_a_nas,
    "masks of 16 bits": masks_as(lambda mask, photo: Image.fromarray(mask.astype(np.uint16) * 257)),
    "masks of 0 and 1": masks_as(lambda mask, photo: Image.fromarray(mask // 255)),
    "cut-outs for masks": masks_as(lambda mask, photo: Image.fromarray(np.dstack([photo, mask]))),
    "names in another form": names_in_another_form,
}


@pytest.mark.parametrize("change", NOTHING)
def test_what_changes_no_photo_changes_no_figure(shop, plain, change):
    before = audited(shop, plain)
    NOTHING[change](plain)
    assert of_embedder(audited(shop, plain)) == of_embedder(before)


@pytest.mark.parametrize(("kind", "where"), [("class0", "twice; keep one"), ("class1", "in two classes; remove it")])
def test_a_copy_of_a_photo_is_refused(shop, plain, kind, where):
    shutil.copy(plain / "photos/class0/0.png", plain / f"photos/{kind}/0 (1).png")
    with pytest.raises(InputError, match=rf"the same photo {where}.*: class0/0.* = class[01]/0"):
        audited(shop, plain)


@pytest.mark.parametrize("turned", [6, 3])
def test_turned_photos_with_masks_of_the_stored_pixels_change_no_figure(shop, plain, turned):
    before = audited(shop, plain)
    for path in sorted(plain.rglob("*.png")):
        picture, exif = Image.open(path), Image.Exif()
        picture.getexif()[ExifTags.Base.Orientation] = {6: 8, 3: 3}[turned]
        if path.is_relative_to(plain / "photos") or turned == 3:  # of half a turn a mask's size does not tell
            exif[ExifTags.Base.Orientation] = turned
        ImageOps.exif_transpose(picture).save(path, exif=exif)
    found = audited(shop, plain)
    assert of_embedder(found) == of_embedder(before)
    assert found["made_with"]["backgrounds"] == before["made_with"]["backgrounds"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [(lambda mask: 255, "full"), (lambda mask: 255 - mask, "border"), (lambda mask: 0.6 * mask, "soft")],
    ids=["white all over", "inverted", "see-through"],
)
def test_masks_that_show_no_object_allow_no_conclusion(shop, plain, change, kind):
    before = audited(shop, plain)
    for path in (plain / "masks").rglob("*.png"):
        mask = np.asarray(Image.open(path))
        Image.fromarray(np.broadcast_to(change(mask), mask.shape).astype(np.uint8)).save(path)
    found = audited(shop, plain)
    first, *_, last = found["verdict"]
    assert first.startswith(f"No conclusion: 20 of 20 masks are in doubt (20 {kind}), so swapped photos show what")
    clean, same = ([said for said in of["verdict"] if said.startswith("On the photos")] for of in (found, before))
    assert len(clean) == 1 and clean == same
    assert last.startswith("5 classes: ") and len(found["mask_doubt"]["flagged"][kind]) == 20
    assert found["advice"][0]["said"].startswith("Give masks of your own") and found["summary"]["grade"] is None
    assert found["matrix"]["clean"]["clean"] == before["matrix"]["clean"]["clean"]
