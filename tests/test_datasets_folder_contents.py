"""What is said of a folder of own photos before it is read, and links that lead out of it."""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest
from own_photos import CLASSES, OPTIONS, add, write_list

from bgbias.audit.inputs import folder as audited
from bgbias.config import read
from bgbias.datasets import folder
from bgbias.datasets.contents import describe
from stages import masks, prepare

FOLLOWING = dataclasses.replace(OPTIONS, follow_links=True)
RAW = Path("data/raw/own")


def test_what_is_passed_over_is_counted_and_named(own):
    assert describe(own, folder.read(own)) == "16 photos of 8 classes"
    add(own / "cup/@eaDir/1.jpg", own / "dish/@eaDir/1.jpg", own / ".thumbs/1.jpg", own / "cup/._1.jpg")
    for name in ("cup/1.json", "cup/1.mp4", "dish/IMG_1"):
        (own / name).write_text("")
    (own / "cup/.git/deep").mkdir(parents=True)
    assert describe(own, folder.read(own)) == (
        "16 photos of 8 classes; passed over: files of other kinds: 3, such as cup/1.json; folders of systems and "
        "storage: 2, such as cup/@eaDir; hidden: 3, such as .thumbs"
    )


@pytest.mark.parametrize(
    ("others", "named"),
    [
        (["Cup", "Blue Mug"], "Blue Mug, blue mug, Cup, cup"),
        (["blue_mug", "Blue-Mug"], "Blue-Mug, blue mug, blue_mug"),
        (["0042", "42", "42.0"], "0042, 42, 42.0"),
        (["1.5 l", "1.05 l", "15 l", "C", "C++"], ""),
    ],
)
def test_classes_that_are_spelt_otherwise_are_named_for_they_may_be_one(own, others, named):
    add(*(own / name / "1.jpg" for name in others))
    said = f"; classes that differ by case, punctuation or leading zeros alone: {named}" * bool(named)
    assert describe(own, folder.read(own)) == f"{16 + len(others)} photos of {8 + len(others)} classes{said}"


def test_photos_that_share_a_mask_or_have_equal_ones_are_counted_for_they_have_other_objects(own):
    add(*(own / f"masks/{number}.png" for number in range(4)))
    (own / "masks/4.png").write_bytes((own / "masks/3.png").read_bytes())
    rows = [f"{kind}/1.jpg,{kind},masks/{mask}.png" for kind, mask in zip(CLASSES, (0, 1, 1, 2, 3, 4), strict=False)]
    write_list(own, "\n".join(["path,class,mask", *rows, "hat/1.jpg,hat,", "hat/2.jpg,hat,"]))
    said = "; 4 photos whose mask is that of another, too, such as blue mug/1.jpg and cup/1.jpg; passed over: "
    assert said in describe(own, folder.read(own))
    write_list(own, "\n".join(["path,class,mask", *rows[:2], *rows[3:5], "hat/1.jpg,hat,", "hat/2.jpg,hat,"]))
    assert "mask is" not in describe(own, folder.read(own))


def test_photos_whose_mask_is_named_as_another_photo_of_their_class_are_counted(own):
    masks = {"cup/1.jpg": "a/1_mask.png", "cup/2.jpg": "a/1.jpg.png", "hat/1.jpg": "a/2.png", "hat/2.jpg": "a/x.png"}
    add(*(own / mask for mask in masks.values()))
    rows = [f"{path},{path[:3]},{mask}" for path, mask in masks.items()]
    write_list(own, "\n".join(["path,class,mask", *rows]))
    said = "; 2 photos whose mask is named as another photo of their class, such as cup/2.jpg: a/1.jpg.png; passed over"
    assert said in describe(own, folder.read(own))
    write_list(own, "\n".join(["path,class,mask", rows[0], rows[3]]))
    assert "mask is" not in describe(own, folder.read(own))


def test_pictures_that_the_list_does_not_name_are_counted(own):
    add(own / ".masks/1.png", own / "cup/3.heic")
    write_list(own, "path,class,mask\ncup/1.jpg,cup,.masks/1.png\nhat/1.jpg,hat,\n")
    assert describe(own, folder.read(own)) == (
        "2 photos of 2 classes; passed over: pictures not in photos.csv: 15, such as blue mug/1.jpg"
    )


def test_the_stage_masks_names_masks_of_the_list_that_it_does_not_use(own, capsys):
    paths = list(folder.read(own).path)
    add(own / ".masks/1.png")
    write_list(own, "\n".join(["path,class,mask", f"{paths[0]},{CLASSES[1]},.masks/1.png", *map(_row, paths[1:])]))
    folder.fetch(RAW, OPTIONS)
    settings = read.load(Path(__file__).parent.parent / "params.yaml")
    prepare.main(settings, "own")
    masks.main(settings, "own")
    assert "own: 1 of 16 photos bring masks: masks.own.method given takes these\n" in capsys.readouterr().out


def _row(path):
    return f"{path},{path.partition('/')[0]},"


def test_the_pipeline_and_the_audit_say_it(own, capsys):
    (own / "cup/a.txt").write_text("")
    said = "16 photos of 8 classes; passed over: files of other kinds: cup/a.txt\n"
    folder.fetch(RAW, OPTIONS)
    assert capsys.readouterr().out == f"own: {said}"
    audited.read(own)
    assert capsys.readouterr().out == f"data/sources/own: {said}"


def test_a_folder_that_cannot_be_opened_is_no_empty_one(own, monkeypatch):
    def refuse(path):
        if Path(path).name == "deep":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    (own / "cup/deep").mkdir()
    (own / "lost+found/deep").mkdir(parents=True)  # not looked into
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError, match="cup/deep"):
        folder.read(own)
    (own / "cup/deep").rmdir()
    assert len(folder.read(own)) == 16


@pytest.mark.parametrize("name", ["cup/\udcff.jpg", "c\udcffp"])
def test_a_name_that_no_list_can_hold_is_refused_before_it_is_copied(own, name):
    (own / "cup").joinpath("1.jpg" if name.endswith(".jpg") else "").rename(own / name)
    with pytest.raises(ValueError, match="own: names that are no UTF-8, as photos.csv is; rename files and folders: c"):
        folder.fetch(RAW, OPTIONS)
    assert not RAW.exists() and len(audited.read(own)[0]) == 16  # an audit writes no such list


@pytest.mark.parametrize("link", ["cup/3.jpg", "hat", "cup/more"])
def test_a_link_out_of_the_folder_is_copied_only_where_that_is_allowed(own, link):
    add(Path("elsewhere/1.jpg"), Path("elsewhere/2.jpg"))
    if link == "hat":
        shutil.rmtree(own / "hat")
    target = Path("elsewhere/1.jpg" if link.endswith(".jpg") else "elsewhere")
    (own / link).symlink_to(target.resolve())
    mend = "copy their photos into it, or set data.own.follow_links: true, and DVC will keep copies"
    with pytest.raises(ValueError, match=f"own: links that lead out of the folder; {mend}: {link}$"):
        folder.fetch(RAW, OPTIONS)
    assert not RAW.exists()
    assert any(path.startswith(link) for path in audited.read(own)[0].path)  # an audit copies nothing
    folder.fetch(RAW, FOLLOWING)
    copied = RAW / link / "1.jpg" if target.is_dir() else RAW / link
    assert copied.read_bytes() == Path("elsewhere/1.jpg").read_bytes() and not copied.is_symlink()


def test_a_mask_that_is_a_link_out_of_the_folder_is_refused(own):
    add(Path("elsewhere/1.png"))
    (own / "1.png").symlink_to(Path("elsewhere/1.png").resolve())
    rows = [f"{kind}/{number}.jpg,{kind},1.png" for kind in CLASSES for number in (1, 2)]
    write_list(own, "\n".join(["path,class,mask", *rows]))
    with pytest.raises(ValueError, match="links that lead out of the folder; .*: 1.png$"):
        folder.fetch(RAW, OPTIONS)


def test_the_folder_may_be_a_link_and_links_within_it_are_followed(own):
    own.rename("elsewhere")
    own.symlink_to(Path("elsewhere").resolve())
    Path("elsewhere/cup/1.jpg").rename("elsewhere/.kept.jpg")
    Path("elsewhere/cup/1.jpg").symlink_to("../.kept.jpg")
    folder.fetch(RAW, OPTIONS)
    assert (RAW / "cup/1.jpg").read_bytes() == Path("elsewhere/.kept.jpg").read_bytes()
