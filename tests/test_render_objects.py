"""The renderer: outlines, depth, light, and where an object stands."""

import dataclasses

import numpy as np
import pytest

from bgbias.render.camera import draw_pose_and_light, place
from bgbias.render.casting import SAMPLES, cast
from bgbias.render.colours import oklch
from bgbias.render.designs import FAMILIES, design
from bgbias.render.lighting import Light
from bgbias.render.modelling import Material, ball, box, rod, rotation
from bgbias.render.patterns import PATTERNS, accent_share
from bgbias.render.rendering import LARGEST, Pose, render
from bgbias.render.shapes import lathe, tube
from bgbias.seeding import generator

RED, BLUE = (Material(oklch(0.6, 0.15, hue), oklch(0.6, 0.15, hue)) for hue in (0.08, 0.7))
HEAD_ON = Pose()
ABOVE = Light(direction=(0.0, 1.0, 0.0))


@pytest.mark.parametrize("where", [(0.0, 0.0), (1.0, 1.0)])
def test_no_place_cuts_an_object_off(where):
    parts = design(0, seed=1).parts  # a bottle: as tall as an object may be
    middle, corner = (render(parts, Pose(size=0.9, place=at), Light(), 64) for at in ((0.5, 0.5), where))
    assert middle.coverage.any(1).sum() == pytest.approx(LARGEST * 64, abs=1)
    assert corner.coverage.sum() == pytest.approx(middle.coverage.sum(), rel=0.01)


def test_outside_the_mask_a_photo_shows_only_the_scene_and_a_shadow():
    thing = render([ball((1, 1, 1), RED)], Pose(pitch=0.4), Light(), 32)
    backdrop = np.random.default_rng(0).random((32, 32, 3), dtype=np.float32)
    photo, outside, inside = place(thing, backdrop), thing.coverage == 0, thing.coverage == 1
    np.testing.assert_allclose(photo[outside], (backdrop * (1 - thing.shadow[..., None]))[outside], atol=1e-6)
    np.testing.assert_allclose(photo[inside], thing.colour[inside], atol=1e-6)
    assert (thing.shadow[outside] > 0.1).any()
    np.testing.assert_array_equal(photo[0], backdrop[0])  # far from the object there is no shadow


def test_an_ellipsoid_s_outline_is_an_ellipse():
    size_px = 96
    coverage = render([ball((1.0, 0.5, 0.7), RED)], dataclasses.replace(HEAD_ON, size=0.6), ABOVE, size_px).coverage
    bounding_box = 0.6**2  # of the picture
    assert coverage.mean() == pytest.approx(np.pi / 4 * bounding_box, rel=0.005)


def test_a_turned_ellipsoid_shows_its_other_radius():
    side_on = render([ball((1.0, 0.5, 0.5), RED)], Pose(yaw=np.pi / 2, size=0.6), ABOVE, 64).coverage
    wide, tall = side_on.any(0).sum(), side_on.any(1).sum()
    assert wide == tall  # 0.5 by 0.5, a circle


def test_a_box_seen_head_on_is_a_rectangle():
    coverage = render([box((0.8, 0.4, 0.3), RED)], Pose(size=0.5), ABOVE, 96).coverage
    assert coverage.mean() == pytest.approx(0.25, rel=0.03)
    assert coverage.any(0).sum() / coverage.any(1).sum() == pytest.approx(2, rel=0.05)


def test_a_cone_seen_from_the_side_is_a_trapezium():
    (cone,) = lathe([(0, 1.0), (1.0, 0.5)], RED, segments=1)
    coverage = render([cone], Pose(size=0.6), ABOVE, 96).coverage
    assert coverage.mean() == pytest.approx(0.75 * 0.6**2, rel=0.01)


def test_a_hole_shows_the_far_wall_from_inside_and_the_floor():
    top_view = rotation(pitch=np.pi / 2)
    x = np.linspace(-0.9, 0.9, 19, dtype=np.float32)
    closed = cast(lathe([(0, 1.0), (2.0, 1.0)], RED, 1), top_view, x, -x)[1]
    open_ = cast(lathe([(0, 1.0), (2.0, 1.0)], RED, 1, hole=0.8), top_view, x, -x)[1]
    middle, rim = (9, 9), (9, 0)  # 0 and 0.9 from the axis
    assert closed[middle] == pytest.approx(2.0)
    assert open_[middle] == pytest.approx(0.0, abs=1e-5)
    assert open_[rim] == pytest.approx(2.0)


@pytest.mark.parametrize("order", [1, -1])
def test_the_nearer_part_hides_the_farther_one(order):
    parts = [ball((0.5, 0.5, 0.5), RED, (0, 0, 1)), box((1, 1, 0.1), BLUE)][::order]
    colour = render(parts, Pose(size=0.8), Light(), 48).colour
    red, _, blue = colour[24, 24]
    assert red > blue
    red, _, blue = colour[8, 8]
    assert blue > red


def test_rays_meet_a_ball_at_its_radius():
    hits, depth = cast([ball((1, 1, 1), RED, (0, 0, 3))], np.eye(3), np.float32([0, 0.6]), np.float32([0]))
    np.testing.assert_allclose(depth, [[4.0, 3.8]], atol=1e-6)
    np.testing.assert_allclose(hits.normal, [[0, 0, 1], [0.6, 0, 0.8]], atol=1e-6)


def test_a_rod_goes_from_point_to_point():
    start, end = np.array([0.2, -0.5, 0.1]), np.array([-0.7, 0.4, 0.8])
    part = rod(tuple(start), tuple(end), 0.05, RED)
    np.testing.assert_allclose(part.rotation @ [0, part.solid.heights[1], 0] + part.centre, end)
    assert np.linalg.det(part.rotation) == pytest.approx(1)


def test_a_tube_has_no_gaps():
    bend = tube([(0, 0, 0), (1, 0, 0), (1, 1, 0)], 0.1, RED)
    x, y = np.float32([0.95, 1.0, 1.05]), np.float32([0.05, 0.0, -0.05])
    assert np.isfinite(cast(bend, np.eye(3), x, y)[1]).all()


def test_coverage_counts_rays():
    coverage = render(design(0, seed=1).parts, Pose(yaw=0.3, pitch=0.3), Light(), 32).coverage
    np.testing.assert_allclose(coverage * SAMPLES**2, (coverage * SAMPLES**2).round(), atol=1e-5)


@pytest.mark.parametrize("number", range(len(FAMILIES)))
def test_every_family_is_in_the_frame_and_of_finite_colour(number):
    pose, light = draw_pose_and_light(generator(3, "test", number))
    thing = render(design(number, seed=3).parts, pose, light, 48)
    assert np.isfinite(thing.colour).all()
    assert thing.colour.min() >= 0
    assert thing.colour.max() <= 1
    assert thing.coverage.any(0).mean() <= LARGEST + 2 / 48
    assert np.flatnonzero(thing.coverage.any(1)).max() / 48 <= thing.foot


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_close_around_the_object(pattern):
    height = np.linspace(-1, 1, 50)
    start, end = (accent_share(pattern, np.full(50, turn), height, 8) for turn in (1e-6, 1 + 1e-6))
    assert set(np.unique(start)) <= {0, 1}
    if pattern != "speckles":  # whose seam is at the back
        np.testing.assert_array_equal(start, end)


def test_lamp_light_falls_on_the_side_that_faces_it():
    thing = render([ball((1, 1, 1), RED)], HEAD_ON, Light(direction=(-1.0, 0.3, 0.3)), 48)
    assert thing.colour[24, 14].sum() > 1.3 * thing.colour[24, 34].sum()


def test_the_shadow_falls_away_from_the_lamp():
    left, right = (
        render([box((0.3, 1, 0.3), RED)], Pose(pitch=0.4), Light(direction=(x, 1.0, 0.3)), 48).shadow
        for x in (0.8, -0.8)
    )
    assert left[:, :24].sum() > 1.5 * left[:, 24:].sum()
    assert right[:, 24:].sum() > 1.5 * right[:, :24].sum()
