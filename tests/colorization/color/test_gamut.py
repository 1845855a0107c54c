import numpy as np
import pytest
from scipy.spatial import ConvexHull, Delaunay

from ablate.colorization.color.gamut import ab_gamut

CORNERS = [
    *[(-90, 90), (-90, 50), (-80, 20), (-60, -20), (-30, -50), (10, -80), (40, -100), (60, -110)],
    *[(90, -110), (100, -90), (100, 0), (90, 70), (70, 80), (40, 90), (0, 100), (-50, 100)],
]


def test_step_ten_gives_the_published_313_classes():
    bins = ab_gamut()
    assert bins.shape == (313, 2)
    assert len(np.unique(bins, axis=0)) == 313
    assert bins.dtype == np.float32


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 3, 5, 10, 20, 50])
def test_classes_are_all_lattice_points_in_the_hull(step):
    # Signed distances to the hull's faces from Qhull; lattice points are at least 1e-3 away or on a face.
    faces = ConvexHull(CORNERS).equations
    axis = np.arange(-200 // step * step, 201, step)
    lattice = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    inside = (lattice @ faces[:, :2].T + faces[:, 2] <= 1e-6).all(axis=1)
    assert {tuple(point) for point in ab_gamut(step)} == {tuple(point) for point in lattice[inside]}


def test_the_hull_of_the_classes_is_the_published_one():
    hull = ConvexHull(ab_gamut())
    assert hull.volume == pytest.approx(ConvexHull(CORNERS).volume)
    assert {tuple(ab_gamut()[vertex]) for vertex in hull.vertices} <= set(CORNERS)


@pytest.mark.parametrize("corner", CORNERS)
def test_every_corner_is_a_class(corner):
    assert (ab_gamut() == corner).all(axis=1).sum() == 1


def test_the_gamut_is_convex():
    bins = ab_gamut()
    middles = (bins[:, None, :] + bins[None, :, :]).reshape(-1, 2) / 2
    assert (Delaunay(CORNERS).find_simplex(middles, tol=1e-9) >= 0).all()


@pytest.mark.parametrize("step", [5, 10, 20])
def test_classes_are_sorted_by_a_then_b(step):
    points = [tuple(point) for point in ab_gamut(step)]
    assert points == sorted(points)


def test_the_first_and_last_classes_are_the_published_ones():
    bins = ab_gamut().astype(int).tolist()
    assert bins[:6] == [[-90, 50], [-90, 60], [-90, 70], [-90, 80], [-90, 90], [-80, 20]]
    assert bins[-2:] == [[100, -10], [100, 0]]


def test_grey_is_a_class_of_every_step():
    for step in range(1, 51):
        assert (ab_gamut(step) == 0).all(axis=1).any()


@pytest.mark.parametrize("step", [0, -10, 2.5])
def test_another_step_than_a_positive_integer_is_refused(step):
    with pytest.raises(ValueError, match=rf"`step` must be a positive integer\. Received: step={step}$"):
        ab_gamut(step)


def test_the_shared_array_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        ab_gamut()[0, 0] = 1
