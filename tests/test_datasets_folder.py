"""Own photos: class folders or a list, and every mistake as one line with its mend."""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest
from own_photos import CLASSES, OPTIONS, add, write_list

from bgbias.config import params
from bgbias.datasets import by_name, folder
from bgbias.photos.table import check_table


@pytest.fixture
def photos(tmp_path):
    """Two classes of two photos."""
    where = tmp_path / "photos"
    add(*(where / kind / f"{number}.jpg" for kind in ("cup", "mug") for number in (1, 2)))
    return where


def test_a_photo_is_of_the_class_of_its_first_folder(photos):
    add(photos / "mug/blue/3.PNG", photos / "Äpfel rot/a b.JPeG", photos / "Äpfel  rot/c.webp")
    table = folder.read(photos)
    assert table.columns.tolist() == ["path", "class_name", "split", "mask_path", "role"]
    assert dict(zip(table.path, table.class_name, strict=True)) == {
        **{f"{kind}/{number}.jpg": kind for kind in ("cup", "mug") for number in (1, 2)},
        "mug/blue/3.PNG": "mug",
        "Äpfel rot/a b.JPeG": "Äpfel rot",
        "Äpfel  rot/c.webp": "Äpfel rot",
    }
    assert table.path.is_monotonic_increasing and table.split.eq("").all() and table.mask_path.eq("").all()


def test_hidden_files_and_what_is_no_picture_are_passed_over(photos):
    before = folder.read(photos)
    add(photos / ".thumbs/cup/1.jpg", photos / "cup/._1.jpg", photos / "__MACOSX/cup/1.jpg", photos / ".a.jpg")
    (photos / "notes.txt").write_text("")
    (photos / "cup/Thumbs.db").write_text("")
    assert folder.read(photos).equals(before)


def test_classes_and_photos_may_be_links(photos, tmp_path):
    add(tmp_path / "elsewhere/1.jpg", tmp_path / "other.jpg")
    (photos / "hat").symlink_to(tmp_path / "elsewhere")
    (photos / "cup/3.jpg").symlink_to(tmp_path / "other.jpg")
    assert {"hat/1.jpg", "cup/3.jpg"} <= set(folder.read(photos).path)


def test_a_list_says_class_split_mask_and_role(photos):
    add(photos / "masks/1.png", photos / "loose.jpg")
    rows = ["./mug//1.jpg,big mug,masks/1.png,train,query", "", 'loose.jpg,"cup, small",,test,gallery']
    write_list(photos, "\r\n".join(["path, class,mask,split,role", *rows]), "utf-8-sig")  # as a spreadsheet saves it
    table = folder.read(photos)
    assert table.to_numpy().tolist() == [
        ["loose.jpg", "cup, small", "test", "", "gallery"],
        ["mug/1.jpg", "big mug", "train", "masks/1.png", "query"],
    ]


def test_names_that_look_like_numbers_or_nothing_stay_text(photos):
    write_list(photos, "path,class\ncup/1.jpg,007\nmug/1.jpg,NA\n")
    assert folder.read(photos).class_name.tolist() == ["007", "NA"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "photos.csv: its first line is '': name the columns path,class or path,class,split,mask"),
        ("path;class\n", "its first line is 'path;class': name the columns .*, separated by commas"),
        ("path,label\n", "its first line is 'path,label'"),
        ("path,class,splits\n", "its first line is 'path,class,splits': .* and no others"),
        ("path,class\n", "photos: no photos: add a folder of photos .jpg, jpeg, png, webp. per class, or list them"),
        ("path,class\ncup/1.jpg,cup\n", "all photos are of the class cup: add other classes"),
        ("path\ncup/1.jpg\n", "its first line is 'path': name the columns path,class"),
        ("path,class,class\ncup/1.jpg,a,b\n", "its first line is 'path,class,class': name the columns"),
        ("path,class\ncup/1.jpg,a,b\n", "photos.csv: rows that have not one field per column; .*: 2"),
        ("path,class\ncup/1.jpg, \n", "photos.csv: rows without a class; fill or remove them: 2"),
        ("path,class\ncup/../cup/1.jpg,a\n", "photos.csv: paths that leave the folder; .*: cup/../cup/1.jpg"),
        ("path,class\ncup,a\n", "photos.csv: listed, but missing; .*: cup"),
        ("path,class,role\ncup/1.jpg,a,shop\n", "unknown role; there are query, gallery: shop"),
        ("path,class\ncup/1.jpg\n", "photos.csv: rows that have not one field per column; .*: 2"),
        ("path,class\n\n,cup\n", "photos.csv: rows without a path; fill or remove them: 3"),
        ("path,class\ncup/1.jpg,\n", "photos.csv: rows without a class; fill or remove them: 2"),
        ("path,class\n../a.jpg,a\n", "photos.csv: paths that leave the folder; copy the files into it: ../a.jpg"),
        ("path,class\n/tmp/a.jpg,a\n", "photos.csv: paths that leave the folder; .*: /tmp/a.jpg"),
        ("path,class\ncup/9.jpg,a\n", "photos.csv: listed, but missing; correct the paths .*: cup/9.jpg"),
        ("path,class,mask\ncup/1.jpg,a,m.png\n", "photos.csv: listed, but missing; .*: m.png"),
        ("path,class\ncup/1.jpg,a\n./cup/1.jpg,b\n", "photos.csv: listed twice; list each photo once: cup/1.jpg"),
        ("path,class,split\ncup/1.jpg,a,dev\n", "unknown split; there are train, val, test: dev"),
        ("path,class,split\ncup/1.jpg,a,val\ncup/2.jpg,a,\n", "photos without a split; .*: cup/2.jpg"),
        ('path,class\n"cup/1.jpg,a\n', "photos.csv: does not read .*: save it as comma-separated values in UTF-8"),
    ],
)
def test_a_mistake_in_the_list_is_one_line_with_the_mend(photos, text, message):
    write_list(photos, text)
    with pytest.raises(ValueError, match=message) as caught:
        folder.read(photos)
    assert "\n" not in str(caught.value) and str(photos) in str(caught.value)


def test_a_list_in_another_encoding_is_refused(photos):
    write_list(photos, "path,class\ncup/1.jpg,Äpfel\n", "latin-1")
    with pytest.raises(ValueError, match="photos.csv: does not read .*: save it as comma-separated values in UTF-8"):
        folder.read(photos)


@pytest.mark.parametrize("other", ["train", "training", "val", "valid", "validation", "testing", "gallery", "query"])
def test_folders_of_splits_are_no_classes(tmp_path, other):
    for name in (other, "Test"):
        add(tmp_path / "shop" / name / "cup/1.jpg")
    message = f"shop: Test, {other} are splits, not classes: give one of them, or list all photos in photos.csv, with"
    with pytest.raises(ValueError, match=message):
        folder.read(tmp_path / "shop")
    add(tmp_path / "shop/tea/1.jpg")
    assert set(folder.read(tmp_path / "shop").class_name) == {"Test", "tea", other}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "1.jpg",
            "photos: photos of no class; move them into class folders, list all photos in photos.csv, or, if each "
            "shows another product, audit them with --one-each: 1.jpg",
        ),
        ("cup/3.HEIC", "photos: pictures of formats that are not read; convert them to JPEG, .*: cup/3.HEIC"),
        ("hat/notes.txt", "photos: class folders without photos; fill or remove them: hat"),
    ],
)
def test_a_mistake_in_the_folders_is_one_line_with_the_mend(photos, path, message):
    add(photos / path)
    with pytest.raises(ValueError, match=message):
        folder.read(photos)


def test_a_missing_folder_is_refused_with_the_mend(tmp_path):
    with pytest.raises(ValueError, match="gone is no folder: put, or link, a folder there"):
        folder.read(tmp_path / "gone")


def test_what_is_fetched_is_a_sound_dataset_with_splits(own):
    (own / "cup/1.jpg").chmod(0o444)
    (own / "hat/1.jpg").rename(own / "hat/ 1, old.jpg")  # a name that a list must quote and keep
    raw = Path("data/raw/own")
    folder.fetch(raw, OPTIONS)
    table = check_table(folder.image_table(raw), raw)
    assert table.groupby("split").class_name.nunique().to_dict() == {"train": 4, "val": 2, "test": 2}
    assert table.drop_duplicates("class_name").sort_values("class_name").class_id.tolist() == list(range(8))
    assert "hat/ 1, old.jpg" in set(table.path)
    assert (raw / "Äpfel/1.jpg").read_bytes() == (own / "Äpfel/1.jpg").read_bytes()
    assert (raw / "cup/1.jpg").stat().st_mode & 0o200
    folder.fetch(Path("again/own"), dataclasses.replace(OPTIONS, seed=7, val_share=0.25, test_share=0.5))
    again = folder.image_table(Path("again/own"))
    assert again.split.tolist() == folder.split_classes(again.class_name, 7, 0.25, 0.5).tolist()


def test_only_what_the_list_names_is_fetched_and_its_splits_hold(own):
    add(own / "masks/1.png")
    splits = ["val"] * 2 + ["test"] * 2 + ["train"] * 3
    rows = [
        f"{kind}/{number}.jpg,{kind},{split},{'masks/1.png' if number == 1 else ''}"
        for kind, split in zip(CLASSES, splits, strict=False)
        for number in (1, 2)
    ]
    write_list(own, "\n".join(["path,class,split,mask", *rows]))
    raw = Path("data/raw/own")
    folder.fetch(raw, OPTIONS)
    assert sorted(path.name for path in raw.iterdir()) == sorted([*CLASSES[:-1], "masks", "photos.csv"])
    table = folder.image_table(raw)
    assert dict(zip(table.class_name, table.split, strict=True)) == dict(zip(CLASSES, splits, strict=False))
    assert table.mask_path.tolist() == ["masks/1.png", ""] * 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [row + "test" if "1.jpg" in row else row + "val" for row in rows], "own: 0 train classes of two"),
        (
            lambda rows: [row + ["train", "val", "test"][place % 3] for place, row in enumerate(rows)],
            "data/sources/own: classes with more than one split; give each class one: blue mug, cup, dish and 5 more",
        ),
    ],
)
def test_a_split_through_the_classes_is_refused_before_anything_is_copied(own, change, message):
    add(*(own / kind / f"{number}.jpg" for kind in CLASSES for number in range(3, 7)))
    rows = [f"{kind}/{number}.jpg,{kind}," for kind in CLASSES for number in range(1, 7)]
    write_list(own, "\n".join(["path,class,split", *change(rows)]))
    with pytest.raises(ValueError, match=message):
        folder.fetch(Path("data/raw/own"), OPTIONS)
    assert not Path("data/raw").exists()


def test_every_name_that_is_no_public_dataset_is_a_folder():
    assert set(by_name.DATASETS) == set(params.Data.__annotations__)
    assert by_name.module("flowers") is folder


def test_what_storage_keeps_in_folders_of_its_own_is_no_photo(photos):
    before = folder.read(photos)
    add(photos / "cup/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg", photos / "#recycle/cup/1.jpg", photos / "lost+found/1.jpg")
    assert folder.read(photos).equals(before)


@pytest.mark.parametrize("ending", ["jfif", "jpe", "jp2", "dng"])
def test_pictures_of_other_endings_are_refused_and_not_left_out(photos, ending):
    add(photos / f"cup/3.{ending}")
    with pytest.raises(ValueError, match=f"pictures of formats that are not read; .*: cup/3.{ending}"):
        folder.read(photos)


def test_linked_folders_within_a_class_are_followed_once(photos, tmp_path):
    add(tmp_path / "elsewhere/5.jpg")
    (photos / "cup/more").symlink_to(tmp_path / "elsewhere")
    (photos / "cup/round").symlink_to(photos / "cup")
    assert "cup/more/5.jpg" in set(folder.read(photos).path) and len(folder.read(photos)) == 5


def test_a_link_that_leads_nowhere_is_named(photos, tmp_path):
    (photos / "cup/gone.jpg").symlink_to(tmp_path / "nothing.jpg")
    with pytest.raises(ValueError, match="links that lead nowhere; mend or remove them: cup/gone.jpg"):
        folder.read(photos)


def test_a_pipe_is_refused_as_it_would_be_read_for_ever(photos):
    os.mkfifo(photos / "cup/3.jpg")
    with pytest.raises(ValueError, match="pipes or devices, which might be read for ever; remove them: cup/3.jpg"):
        folder.read(photos)


def test_classes_that_differ_by_blanks_or_unicode_form_alone_are_one(photos):
    names = ("A\u0308pfel rot", " \u00c4pfel rot ", "\u00c4pfel\u00a0rot", "\u00c4p\u00adfel rot\u200b")
    add(*(photos / f"{number}/{number}.jpg" for number in range(4)), photos / "x/u\u0308.jpg")
    rows = [f'{number}/{number}.jpg,"{name}"' for number, name in enumerate(names)]
    write_list(photos, "\n".join(["path,class", *rows, "x/\u00fc.jpg,pear"]))
    table = folder.read(photos)
    assert set(table.class_name) == {"\u00c4pfel rot", "pear"} and (table.class_name == "\u00c4pfel rot").sum() == 4
    assert "x/u\u0308.jpg" in set(table.path)


def test_the_same_photo_twice_is_refused(photos):
    with (photos / "cup/1.jpg").open("ab") as file:
        file.write(b"more")  # no other file has its length
    shutil.copy(photos / "cup/1.jpg", photos / "cup/1 (1).jpg")
    with pytest.raises(ValueError, match=r"the same photo twice; keep one of each: cup/1 \(1\).jpg = cup/1.jpg$"):
        folder.read(photos)


def test_the_same_photo_in_two_classes_is_refused(photos):
    shutil.copy(photos / "cup/1.jpg", photos / "mug/3.jpg")
    with pytest.raises(ValueError, match="the same photo in two classes; remove it .*: cup/1.jpg = mug/3.jpg"):
        folder.read(photos)
