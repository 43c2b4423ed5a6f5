"""Images moved, scaled and compared, against SciPy, Pillow and torch."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from hornbeam import backends, ops, random
from hornbeam.graph.keras_tensor import KerasTensor
from tests.ops import oracles

image = ops.image
RNG = np.random.default_rng(3)
IMAGES = RNG.random((2, 6, 7, 3)).astype("float32")
TURN = np.array([0.8, 0.4, -2.37, -0.5, 0.9, 3.83, 0, 0], "float32")
MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
CASES = [(order, mode) for order in (0, 1) for mode in MODES]
NAMES = ("nearest", "bilinear")
AXIS = {"channels_last": -1, "channels_first": -3}


def first(x):
    return np.moveaxis(x, -1, -3)


def last(x):
    return np.moveaxis(x, -3, -1)


def in_a_program(engine, function, *arrays):
    """What the function gives inside a compiled program where there are some."""
    results = engine.jit(function)(*(engine.convert(x) for x in arrays))
    return [engine.to_numpy(x) for x in results]


def test_coordinates_in_all_fill_modes(engine):
    x = IMAGES[0, ..., 0]
    # Far beyond the edges, on them, and on the elements themselves.
    places = RNG.uniform(-20, 26, (2, 40)).astype("float32")
    places[:, :9] = np.arange(-1, 8), np.arange(8, -1, -1)

    def function(x, places):
        return [image.map_coordinates(x, places, *case, 7.0) for case in CASES]

    for found, case in zip(
        in_a_program(engine, function, x, places), CASES, strict=True
    ):
        expected = oracles.sampled(x.astype("float64"), places, *case, 7.0)
        np.testing.assert_allclose(found, expected, atol=2e-5, err_msg=str(case))


@pytest.mark.parametrize("shape", [(5,), (1,), (3, 1, 4), (2, 3, 2, 3)])
def test_coordinates_of_any_rank(engine, shape):
    x = RNG.random(shape).astype("float32")
    places = RNG.uniform(-2, 5, (len(shape), 2, 3)).astype("float32")

    def function(x, places):
        return [image.map_coordinates(x, places, 1, mode) for mode in MODES]

    for found, mode in zip(
        in_a_program(engine, function, x, places), MODES, strict=True
    ):
        if mode == "mirror" and 1 in shape:
            continue  # SciPy has no mirror without an extent.
        np.testing.assert_allclose(
            found, oracles.sampled(x, places, 1, mode), atol=2e-5
        )


def test_halves_go_away_from_zero(engine):
    x = engine.convert(np.array([1, 2, 4, 7], "uint8"))
    between = image.map_coordinates(x, [[0.5, 1.5, 2.5]], 1)
    np.testing.assert_array_equal(engine.to_numpy(between), [2, 3, 6])
    assert engine.dtype_of(between) == "uint8"
    nearest = image.map_coordinates(x, [[-0.5, 0.5, 1.5, 2.5, 3.5]], 0, "constant", 9)
    np.testing.assert_array_equal(engine.to_numpy(nearest), [9, 2, 4, 7, 9])


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_places_that_are_no_numbers(engine):
    found = image.map_coordinates(
        engine.convert(np.ones(3, "float32")), [[np.nan, np.inf, -np.inf]], 1, "nearest"
    )
    np.testing.assert_array_equal(engine.to_numpy(found), [np.nan, 1, 1])


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_an_infinite_edge_stays_inside(engine):
    x = engine.convert(np.array([1, 2, 3, np.inf], "float32"))
    for order, fill in ((0, 5.0), (1, 5.0), (1, 0)):
        found = image.map_coordinates(x, [[-2.0, 1.0, 4.5]], order, "constant", fill)
        np.testing.assert_array_equal(engine.to_numpy(found), [fill, 2, fill])


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_lies_outside_is_no_number(engine, value):
    x = np.arange(12, dtype="float32").reshape(3, 4)
    places = np.array([[0.3, 1, 1.9, 2.5, -1], [1, 1.7, 0.1, 3, 0]], "float32")
    for order in (0, 1):
        got = ops.image.map_coordinates(x, places, order, fill_value=value)
        want = ndimage.map_coordinates(x, places, order=order, cval=value)
        np.testing.assert_allclose(ops.convert_to_numpy(got), want, rtol=1e-5)


def test_affine_transform(engine):
    a0, a1, a2, b0, b1, b2, *_ = TURN.astype("float64")

    def function(x, flipped):
        moved = [
            image.affine_transform(x, TURN, NAMES[order], mode, 0.5)
            for order, mode in CASES
        ]
        return [
            *moved,
            image.affine_transform(x[0], TURN, fill_mode="reflect"),
            image.affine_transform(
                flipped, TURN, fill_mode="reflect", data_format="channels_first"
            ),
        ]

    *found, alone, flipped = in_a_program(engine, function, IMAGES, first(IMAGES))
    for moved, (order, mode) in zip(found, CASES, strict=True):
        for channel in range(3):
            expected = ndimage.affine_transform(
                IMAGES[0, ..., channel].astype("float64"),
                [[b1, b0], [a1, a0]],
                [b2, a2],
                order=order,
                mode=oracles.MODES.get(mode, mode),
                cval=0.5,
            )
            np.testing.assert_allclose(moved[0, ..., channel], expected, atol=2e-5)
    assert CASES[-1] == (1, "reflect")
    np.testing.assert_allclose(alone, found[-1][0], atol=1e-6)
    np.testing.assert_allclose(last(flipped), found[-1], atol=1e-6)


def test_a_grid_of_torch_gives_the_same():
    grid = np.stack(np.meshgrid(np.arange(7), np.arange(6)), -1) @ [
        [0.8, -0.5],
        [0.4, 0.9],
    ]
    grid = (grid + [-2.37, 3.83]) / [3, 2.5] - 1
    expected = torch.nn.functional.grid_sample(
        torch.from_numpy(first(IMAGES)),
        torch.from_numpy(np.stack([grid] * 2).astype("float32")),
        align_corners=True,
    )
    with backends.scope("numpy"):
        found = image.affine_transform(IMAGES, TURN)
    np.testing.assert_allclose(first(found), expected.numpy(), atol=2e-5)


@pytest.mark.parametrize("data_format", AXIS)
def test_perspective_transform(engine, data_format):
    start = np.array([[0, 0], [6, 0], [0, 5], [6, 5]], "float32")
    # Points may come in any order.
    start = np.stack([start, start[[2, 0, 1, 3]]])
    end = start + RNG.uniform(-1, 1, start.shape).astype("float32")
    to = first if data_format == "channels_first" else np.asarray

    def function(images, start, end):
        return [
            image.perspective_transform(images, start, end, n, 0.5, data_format)
            for n in NAMES
        ] + [
            image.perspective_transform(
                images[1], start[1], end[1], "bilinear", 0.5, data_format
            )
        ]

    found = in_a_program(engine, function, to(IMAGES), start, end)
    for order in (0, 1):
        expected = to(oracles.perspective(IMAGES, start, end, order, 0.5))
        np.testing.assert_allclose(found[order], expected, atol=1e-4)
    np.testing.assert_allclose(found[2], expected[1], atol=1e-4)


def test_large_images_keep_their_precision(engine):
    start = np.array([[0, 0], [2000, 0], [0, 1500], [2000, 1500]], "float32")
    end = start + np.array([[30, 0], [-50, 0], [10, -40], [-5, -60]], "float32")
    ramp = np.arange(2000, dtype="float32").reshape(1, 2000, 1)
    moved = image.perspective_transform(engine.convert(ramp), start, end, fill_value=-9)
    expected = oracles.perspective(ramp[None], [start], [end], 1, -9.0)[0]
    np.testing.assert_allclose(engine.to_numpy(moved), expected, atol=0.01)


def test_elastic_transform(engine):
    """Read the shifts from ramps: 24 images, all pixels far from the edges."""
    y, x = np.indices((40, 40)).astype("float32")
    ramps = np.stack([np.stack([x, y], -1)] * 24)
    kwargs = {"alpha": 4.0, "sigma": 2.0, "seed": 5}
    (found, again, flipped) = in_a_program(
        engine,
        lambda x, y: [
            image.elastic_transform(x, **kwargs),
            image.elastic_transform(x, **kwargs),
            image.elastic_transform(y, **kwargs, data_format="channels_first"),
        ],
        ramps,
        first(ramps),
    )
    np.testing.assert_array_equal(found, again)
    np.testing.assert_allclose(found, last(flipped), atol=1e-4)
    shifts = (found - ramps)[:, 10:-10, 10:-10]
    np.testing.assert_allclose(
        shifts.std((0, 1, 2)), 4 / (2 * np.sqrt(np.pi)), rtol=0.1
    )
    assert abs(shifts.mean()) < 0.1
    assert abs(np.corrcoef(shifts[..., 0].ravel(), shifts[..., 1].ravel())[0, 1]) < 0.1
    # Two pixels apart, the correlation of such a field is exp(-d^2 / (4 sigma^2)).
    near = np.mean(shifts[:, :, 2:] * shifts[:, :, :-2]) / np.mean(shifts**2)
    assert near == pytest.approx(np.exp(-4 / 16), abs=0.05)
    assert np.abs(shifts[0] - shifts[1]).max() > 0.5
    with backends.scope("numpy"):
        same = image.elastic_transform(ramps, **kwargs)
    np.testing.assert_allclose(found, same, atol=1e-3)


def test_elastic_transform_draws_anew(engine):
    seed = random.SeedGenerator(3)
    x = engine.convert(IMAGES)
    one, two = (engine.to_numpy(image.elastic_transform(x, seed=seed)) for _ in "12")
    assert np.abs(one - two).max() > 0.01


@pytest.mark.parametrize("data_format", AXIS)
def test_blur_and_edges(engine, data_format):
    to = first if data_format == "channels_first" else np.asarray
    found = in_a_program(
        engine,
        lambda x: [
            image.gaussian_blur(x, (3, 5), (0.7, 2.0), data_format),
            image.gaussian_blur(x[0], 5, 2.0, data_format),
            image.sobel_edges(x, data_format),
            image.sobel_edges(x[0], data_format),
        ],
        to(IMAGES),
    )
    edges = oracles.edges(IMAGES)
    edges = np.stack([to(edges[..., i]) for i in range(2)], -1)
    for x, expected in zip(
        found,
        [
            to(oracles.blurred(IMAGES, (3, 5), (0.7, 2.0))),
            to(oracles.blurred(IMAGES, (5, 5), (2.0, 2.0))[0]),
            edges,
            edges[0],
        ],
        strict=True,
    ):
        np.testing.assert_allclose(x, expected, atol=1e-5)


def test_blur_and_edges_of_integers(engine):
    x = (IMAGES * 255).astype("uint8")
    found = engine.to_numpy(image.gaussian_blur(engine.convert(x)))
    assert found.dtype == "uint8"
    assert np.abs(found - oracles.blurred(np.float64(x), (3, 3), (1, 1))).max() < 0.501
    found = engine.to_numpy(image.sobel_edges(engine.convert(x)))
    assert found.dtype == "int32"
    np.testing.assert_array_equal(found, oracles.edges(x.astype("int32")))


def test_similarity(engine):
    a = np.pad(IMAGES, ((0, 0), (3, 3), (3, 3), (0, 0)), "edge")
    b = np.clip(a + RNG.normal(0, 0.2, a.shape), 0, 1).astype("float32")
    args = (1.5, 5, 0.9, 0.02, 0.05)

    def function(a, b):
        flipped = ops.moveaxis(a, -1, 1), ops.moveaxis(b, -1, 1)
        return [
            image.ssim(a, b, *args),
            image.ssim(a[1], b[1], *args),
            image.ssim(*flipped, *args, "channels_first"),
            image.ssim(a, a),
        ]

    found = in_a_program(engine, function, a, b)
    expected = oracles.similarity(np.float64(a), np.float64(b), *args)
    for x, y in zip(found, (expected, expected[1], expected, [1, 1]), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-4)


METHODS = {
    "triangle": (Image.Resampling.BILINEAR, "bilinear"),
    "cubic": (Image.Resampling.BICUBIC, "bicubic"),
    "lanczos3": (Image.Resampling.LANCZOS, "lanczos3"),
    "lanczos5": (None, "lanczos5"),
}


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("method", METHODS)
def test_scale_and_translate(engine, method, antialias):
    """Rows grow and columns shrink; Pillow has the same kernels, antialiased."""
    picture = RNG.random((9, 12)).astype("float32")
    top, left, bottom, right = 1.25, 0.5, 7.5, 11.0
    scale = np.array([8 / (bottom - top), 5 / (right - left)], "float32")
    shift = -np.array([top, left], "float32") * scale
    filtering, kernel = METHODS[method]
    (found,) = in_a_program(
        engine,
        lambda x, scale, shift: [
            image.scale_and_translate(
                x, (8, 5), scale, shift, (0, -1), method, antialias
            )
        ],
        picture,
        scale,
        shift,
    )
    expected = picture.astype("float64")
    for axis, new in enumerate((8, 5)):
        expected = np.apply_along_axis(
            oracles.scaled,
            axis,
            expected,
            new,
            scale[axis],
            shift[axis],
            oracles.KERNELS[kernel],
            antialias,
        )
    np.testing.assert_allclose(found, expected, atol=1e-5)
    if antialias and filtering:
        box = (left, top, right, bottom)
        same = Image.fromarray(picture).resize((5, 8), filtering, box)
        # Pillow leaves out pixels outside the box, where ours ends at the edge.
        np.testing.assert_allclose(
            found[2:-2, 1:-1], np.array(same)[2:-2, 1:-1], atol=0.05
        )


def test_what_lies_outside_is_zero(engine):
    x = engine.convert(np.ones((1, 4), "uint8"))
    found = image.scale_and_translate(x, (1, 8), [1.0], [2.0], [1], "cubic")
    np.testing.assert_array_equal(engine.to_numpy(found), [[0, 0, 1, 1, 1, 1, 0, 0]])
    assert engine.dtype_of(found) == "float32"


def test_transforms_under_vmap(training_engine):
    engine = training_engine
    turns = np.stack([TURN, [1, 0, 0.5, 0, 1, -0.5, 0, 0]]).astype("float32")

    def loss(x, t):
        return ops.sum(image.affine_transform(x, t, fill_mode="mirror") ** 2)

    found = engine.vmap(loss)(engine.convert(IMAGES), engine.convert(turns))
    expected = (oracles.affine(IMAGES, turns, 1, "mirror") ** 2).sum((1, 2, 3))
    np.testing.assert_allclose(engine.to_numpy(found), expected, rtol=1e-4)


def test_sizes_may_be_unknown():
    x = KerasTensor((None, None, None, 3), "uint8")
    points, batch = KerasTensor((None, 4, 2)), (None, None, None, 3)
    for symbol, shape, dtype in (
        (image.affine_transform(x, KerasTensor((None, 8))), batch, "uint8"),
        (image.perspective_transform(x, points, points), batch, "uint8"),
        (image.elastic_transform(x), batch, "uint8"),
        (image.gaussian_blur(x), batch, "uint8"),
        (image.sobel_edges(x), (*batch, 2), "int32"),
        (image.ssim(x, x), (None,), "float32"),
        (image.map_coordinates(x, KerasTensor((4, None, 2)), 0), (None, 2), "uint8"),
        (
            image.scale_and_translate(
                x, (None, 4, 5, 3), [1.0, 2.0], [0.0, 0.0], (1, 2), "linear"
            ),
            (None, 4, 5, 3),
            "float32",
        ),
    ):
        assert (symbol.shape, symbol.dtype) == (shape, dtype)


def test_sizes_may_be_unknown_in_a_graph():
    tf = pytest.importorskip("tensorflow")
    scaling = ((2, 4, 5, 3), [0.7, 0.6], [0.0, 0.0], (1, 2), "cubic")

    def function(x):
        moved = image.affine_transform(x, TURN, fill_mode="wrap")
        return moved, image.scale_and_translate(x, *scaling), image.elastic_transform(x)

    with backends.scope("tensorflow"):
        graph = tf.function(function, autograph=False).get_concrete_function(
            tf.TensorSpec((None, None, None, 3))
        )
        moved, scaled, _ = graph(tf.constant(IMAGES))
    with backends.scope("numpy"):
        expected = function(IMAGES)
    np.testing.assert_allclose(moved.numpy(), expected[0], atol=1e-5)
    np.testing.assert_allclose(scaled.numpy(), expected[1], atol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: image.affine_transform(x[0, 0], TURN), "rank"),
        (lambda x: image.affine_transform(x, TURN[:7]), "transform of shape"),
        (
            lambda x: image.affine_transform(x, np.stack([TURN] * 3)),
            "one for each image",
        ),
        (lambda x: image.affine_transform(x, TURN, "bicubic"), "interpolation"),
        (lambda x: image.affine_transform(x, TURN, fill_mode="edge"), "fill_mode"),
        (lambda x: image.perspective_transform(x, TURN, TURN), "start_points of shape"),
        (lambda x: image.elastic_transform(x, fill_mode="edge"), "fill_mode"),
        (lambda x: image.map_coordinates(x, np.ones((3, 5)), 1), "a row for each axis"),
        (lambda x: image.map_coordinates(x, np.ones(4), 1), "at least rank 2"),
        (lambda x: image.map_coordinates(x, np.ones((4, 5)), 2), "`order`"),
        (lambda x: image.map_coordinates(x, np.ones((4, 5)), 1, "edge"), "fill_mode"),
        (lambda x: image.gaussian_blur(x, 0), "must be positive"),
        (lambda x: image.gaussian_blur(x, 3, (1.0, 1.0, 1.0)), "`sigma`"),
        (lambda x: image.sobel_edges(x[0, 0]), "rank"),
        (lambda x: image.ssim(x, x), "`filter_size`"),
        (lambda x: image.ssim(x, x[:1], filter_size=3), "same shape"),
        (
            lambda x: image.scale_and_translate(x, (2, 3), [1], [0], [1], "linear"),
            "`output_shape`",
        ),
        (
            lambda x: image.scale_and_translate(
                x, IMAGES.shape, [1, 1], [0], [1], "linear"
            ),
            "`scale`",
        ),
        (
            lambda x: image.scale_and_translate(
                x, IMAGES.shape, [1], [0], [1], "nearest"
            ),
            "method",
        ),
    ],
)
def test_what_does_not_fit_is_explained(engine, call, message):
    for images in (engine.convert(IMAGES), KerasTensor(IMAGES.shape)):
        with pytest.raises((ValueError, TypeError), match=message):
            call(images)
