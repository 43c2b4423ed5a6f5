"""Boxes, masks and galleries: pixels against NumPy, and what the axes show."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import visualization
from hornbeam.visualization.annotations import palette

matplotlib = pytest.importorskip("matplotlib")
RED = (200, 10, 20)


def boxes(*each, **others):
    return {"boxes": [list(each)], "labels": [list(range(len(each)))], **others}


class TestBoxes:
    def draw(self, given, name="xyxy", images=None, **arguments):
        images = np.zeros((1, 20, 30, 3)) if images is None else images
        arguments = {"color": RED, "line_thickness": 1, **arguments}
        return visualization.draw_bounding_boxes(images, given, name, **arguments)

    def test_the_sides(self, engine):
        images = keras.ops.convert_to_tensor(np.full((1, 20, 30, 3), 7.0, "float32"))
        given = {
            "boxes": keras.ops.convert_to_tensor([[[4.0, 3.0, 12.0, 9.0]]]),
            "labels": keras.ops.convert_to_tensor([[0]]),
        }
        drawn = self.draw(given, images=images)
        assert type(drawn) is np.ndarray and drawn.dtype == "uint8"
        expected = np.full((1, 20, 30, 3), 7, "uint8")
        expected[0, 3:10, 4:13] = RED
        expected[0, 4:9, 5:12] = 7
        np.testing.assert_array_equal(drawn, expected)

    @pytest.mark.parametrize("thickness", [1, 2, 3, 4])
    def test_thickness(self, thickness):
        drawn = self.draw(boxes([5, 5, 15, 15]), line_thickness=thickness)
        assert (drawn[0, 10, :, 0] == RED[0]).sum() == 2 * thickness
        assert (drawn[0, :, 10, 0] == RED[0]).sum() == 2 * thickness

    @pytest.mark.parametrize(
        ("name", "box"),
        [
            ("yxyx", [3, 4, 9, 12]),
            ("xywh", [4, 3, 8, 6]),
            ("center_xywh", [8, 6, 8, 6]),
            ("rel_xyxy", [4 / 30, 3 / 20, 12 / 30, 9 / 20]),
        ],
    )
    def test_formats(self, name, box):
        expected = self.draw(boxes([4, 3, 12, 9]))
        np.testing.assert_array_equal(self.draw(boxes(box), name), expected)

    def test_padding_and_what_is_outside_are_left_out(self):
        given = boxes([4, 3, 12, 9], [np.nan] * 4, [40, 40, 50, 50])
        given["labels"] = [[-1, 1, 2]]
        assert not self.draw(given).any()

    def test_a_box_beyond_the_edges_is_cut(self):
        drawn = self.draw(boxes([-5, 4, 10, 50]))
        expected = np.zeros_like(drawn)
        expected[0, 4, :11] = RED
        expected[0, 4:, 10] = RED
        np.testing.assert_array_equal(drawn, expected)

    def test_boxes_may_be_ragged(self):
        given = {"boxes": [np.zeros((0, 4)), [[1, 1, 5, 5]]], "labels": [[], [0]]}
        drawn = self.draw(given, images=np.zeros((2, 20, 30, 3)))
        assert not drawn[0].any() and drawn[1].any()

    def test_labels(self):
        given = boxes([40, 40, 150, 150], confidences=[[0.5]])
        images = np.full((1, 200, 300, 3), 99.0)
        bare = self.draw(given, images=images)
        named = self.draw(given, images=images, class_mapping={0: "cat"})
        rows, columns = np.nonzero((bare != named).any(-1)[0])
        # The tab stands on the box, its left end at the box's.
        assert rows.max() < 40 and rows.min() > 20 and columns.min() == 40
        tab = named[0, rows.min() : 40, 40 : columns.max() + 1].reshape(-1, 3)
        assert (tab == RED).all(-1).any() and (tab > 240).all(-1).any()
        longer = self.draw(given, images=images, class_mapping={0: "cat and dog"})
        assert (longer != bare).sum() > (named != bare).sum()
        larger = self.draw(
            given, images=images, class_mapping={0: "cat"}, font_scale=2.0
        )
        assert (larger != bare).any(-1).sum() > 2 * (named != bare).any(-1).sum()

    def test_a_label_without_room_is_inside(self):
        given = boxes([-20, 0, 60, 60], [280, 190, 299, 199])
        images = np.zeros((1, 200, 300, 3))
        drawn = self.draw(given, images=images, class_mapping={0: "left", 1: "right!"})
        assert drawn[0, 2, 1].tolist() == list(RED)
        assert drawn[0, 189, 297].tolist() == list(RED)

    def test_a_label_of_another_script(self):
        images = np.zeros((1, 100, 100, 3))
        given = boxes([10, 50, 90, 90])
        one, other = (
            self.draw(given, images=images, class_mapping={0: word})
            for word in ("é", "ж")
        )
        assert (one != other).any()

    @pytest.mark.parametrize("channels", [1, 4])
    def test_other_channels(self, channels):
        drawn = self.draw(boxes([4, 3, 12, 9]), images=np.zeros((1, 20, 30, channels)))
        expected = [77] if channels == 1 else [*RED, 255]
        assert drawn[0, 3, 5].tolist() == expected

    def test_channels_first(self):
        images = np.random.default_rng(0).uniform(0, 255, (1, 20, 30, 3))
        expected = self.draw(boxes([4, 3, 12, 9]), images=images)
        drawn = self.draw(
            boxes([4, 3, 12, 9]),
            images=np.moveaxis(images, -1, 1),
            data_format="channels_first",
        )
        np.testing.assert_array_equal(np.moveaxis(drawn, 1, -1), expected)

    def test_the_images_are_left_alone(self):
        images = np.zeros((1, 20, 30, 3), "uint8")
        assert self.draw(boxes([4, 3, 12, 9]), images=images).any()
        assert not images.any()

    def test_errors(self):
        with pytest.raises(ValueError, match=r"4 axes.*\(20, 30, 3\).*image\[None\]"):
            self.draw(boxes([0] * 4), images=np.zeros((20, 30, 3)))
        with pytest.raises(TypeError, match="keys 'boxes' and 'labels'.*list"):
            self.draw([1])
        with pytest.raises(ValueError, match="'labels'.*missing among.*'boxes'"):
            self.draw({"boxes": [[[0] * 4]]})
        with pytest.raises(ValueError, match="1 images, and 'boxes' has 2 rows"):
            self.draw({"boxes": np.zeros((2, 1, 4)), "labels": [[0]]})
        with pytest.raises(ValueError, match="xyxy"):
            self.draw(boxes([0] * 4), "xxyy")


class TestMasks:
    images = np.full((1, 2, 3, 3), 100.0)
    masks = np.array([[[0, 1, 2], [0, 0, 3]]])

    @pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
    def test_blending(self, alpha, engine):
        drawn = visualization.draw_segmentation_masks(
            keras.ops.convert_to_tensor(self.images),
            keras.ops.convert_to_tensor(self.masks),
            alpha=alpha,
        )
        expected = self.images.copy()
        for label, colour in palette(3).items():
            place = self.masks == label
            expected[place] = (1 - alpha) * 100 + alpha * np.array(colour)
        assert drawn.dtype == "uint8"
        np.testing.assert_array_equal(drawn, expected.round())

    def test_without_blending(self):
        drawn = visualization.draw_segmentation_masks(
            self.images, self.masks[..., None], color_mapping={1: RED}, blend=False
        )
        assert drawn[0, 0, 1].tolist() == list(RED)
        assert drawn[0, 0, 2].tolist() == [100] * 3

    def test_classes_that_are_left_out(self):
        draw = visualization.draw_segmentation_masks
        assert (draw(self.images, self.masks, ignore_index=2)[0, 0, 2] == 100).all()
        assert (draw(self.images, self.masks, num_classes=2)[0, 1, 2] == 100).all()
        assert (draw(self.images, self.masks)[0, :, 0] == 100).all()
        painted = draw(self.images, self.masks, color_mapping={0: RED}, alpha=1)
        assert painted[0, 0, 0].tolist() == list(RED)

    def test_grey_images_become_colours(self):
        drawn = visualization.draw_segmentation_masks(self.images[..., :1], self.masks)
        expected = visualization.draw_segmentation_masks(self.images, self.masks)
        np.testing.assert_array_equal(drawn, expected)

    def test_colours_differ(self):
        colours = np.array(list(palette(21).values()), float)
        apart = np.abs(colours[:, None] - colours).sum(-1)
        assert apart[~np.eye(21, dtype=bool)].min() > 20

    def test_errors(self):
        draw = visualization.draw_segmentation_masks
        with pytest.raises(TypeError, match=r"masks of integers.*float32.*argmax"):
            draw(self.images, self.masks.astype("float32"))
        with pytest.raises(ValueError, match=r"\(1, 2, 3\) or \(1, 2, 3, 1\)"):
            draw(self.images, self.masks[:, :1])
        with pytest.raises(ValueError, match="alpha"):
            draw(self.images, self.masks, alpha=2)


def pictures(axes):
    """Return the images of the axes that have one."""
    return [np.asarray(a.images[0].get_array()) for a in axes.flat if a.images]


class TestGalleries:
    images = np.random.default_rng(0).uniform(0, 1, (5, 6, 8, 3))

    def plot(self, images=None, **arguments):
        arguments = {"value_range": (0, 1), "show": False, **arguments}
        images = self.images if images is None else images
        return visualization.plot_image_gallery(images, **arguments)

    @pytest.mark.parametrize(
        ("rows", "cols", "shape"),
        [
            (None, None, (2, 3)),
            (None, 2, (3, 2)),
            (1, None, (1, 5)),
            (None, 4, (2, 4)),
            (2, 2, (2, 2)),
        ],
    )
    def test_rows_and_columns(self, rows, cols, shape):
        axes = self.plot(rows=rows, cols=cols)
        assert axes.shape == shape
        shown = pictures(axes)
        assert len(shown) == min(5, axes.size)
        for image, expected in zip(shown, self.images, strict=False):
            np.testing.assert_array_equal(image, (255 * expected).round())

    def test_titles(self):
        axes = self.plot(
            y_true=[0, 1, 2, 0, 1],
            y_pred=np.array([[0], [1], [1], [0], [2]]),
            label_map={0: "cat", 1: "dog"},
        )
        titles = [a.get_title() for a in axes.flat]
        assert titles == ["cat", "dog", "dog, not 2", "cat", "2, not dog", ""]
        colours = [a.title.get_color() for a in axes.flat]
        assert colours[2] == colours[4] != colours[0] == colours[1]
        axes = self.plot(y_pred=[0, 1, 2, 0, 1])
        assert [a.get_title() for a in axes.flat] == ["0", "1", "2", "0", "1", ""]

    def test_grey_images(self, engine):
        grey = keras.ops.convert_to_tensor(self.images[..., :1].astype("float32"))
        shown = pictures(self.plot(grey))[0]
        np.testing.assert_array_equal(
            shown, (255 * self.images[0, ..., 0].astype("float32")).round()
        )
        first = np.moveaxis(self.images, -1, 1)
        shown = pictures(self.plot(first, data_format="channels_first"))[0]
        np.testing.assert_array_equal(shown, (255 * self.images[0]).round())

    def test_a_file(self, tmp_path):
        image = pytest.importorskip("PIL.Image")
        self.plot(path=tmp_path / "a.png", show=None, dpi=50)
        with image.open(tmp_path / "a.png") as picture:
            assert picture.mode == "RGBA" and picture.getextrema()[3][0] == 0
        self.plot(path=tmp_path / "b.png", show=None, transparent=False)
        with image.open(tmp_path / "b.png") as picture:
            assert picture.getextrema()[3][0] == 255

    def test_it_is_shown(self, monkeypatch):
        from matplotlib import pyplot

        shown = []
        monkeypatch.setattr(pyplot, "show", lambda: shown.append(pyplot.gcf()))
        monkeypatch.setattr(matplotlib, "get_backend", lambda: "a window")
        axes = self.plot(show=None)
        assert shown == [axes[0, 0].figure]
        pyplot.close("all")

    def test_without_a_screen(self):
        from matplotlib import pyplot

        pyplot.close("all")
        axes = self.plot(show=True)
        assert pyplot.get_fignums() == [axes[0, 0].figure.number]
        pyplot.close("all")

    def test_boxes(self):
        given = {"boxes": [[[1, 1, 5, 4]]] * 5, "labels": [[0]] * 5}
        given["confidences"] = [[0.5]] * 5
        axes = visualization.plot_bounding_box_gallery(
            self.images, "xyxy", given, given, (0, 1), class_mapping={0: "cat"},
            legend=True, show=False, true_color=RED,
        )  # fmt: skip
        (legend,) = axes[0, 0].figure.legends
        assert [t.get_text() for t in legend.get_texts()] == ["true", "predicted"]
        shown = pictures(axes)[0]
        # Small images are enlarged: 6 rows to at least 384.
        assert shown.shape == (384, 512, 3)
        assert shown[200, 64].tolist() == [255, 235, 59]
        with pytest.raises(ValueError, match="Received both"):
            visualization.plot_bounding_box_gallery(
                self.images, "xyxy", given, legend=True, legend_handles=[]
            )

    def test_masks(self):
        masks = np.zeros((5, 6, 8), int)
        masks[:, 2:4] = 1
        axes = visualization.plot_segmentation_mask_gallery(
            self.images, 1, (0, 1), y_true=masks, y_pred=masks[..., None], alpha=1,
            show=False,
        )  # fmt: skip
        assert axes.shape == (5, 3)
        titles = [a.get_title() for a in axes.flat]
        assert titles[:3] == ["image", "true", "predicted"] and not any(titles[3:])
        image, true, predicted = pictures(axes)[:3]
        np.testing.assert_array_equal(image, (255 * self.images[0]).round())
        np.testing.assert_array_equal(true, predicted)
        assert (true[2:4] == palette(1)[1]).all()

    def test_errors(self):
        with pytest.raises(ValueError, match="either writes.*or shows"):
            self.plot(path="x.png", show=True)
        with pytest.raises(
            ValueError, match=r"`y_true` to be a label for each of the 5"
        ):
            self.plot(y_true=[1, 2])
        with pytest.raises(ValueError, match="data_format"):
            self.plot(data_format="first")


def test_images_that_would_be_black_are_warned_of():
    images = np.linspace(-1, 1, 48).reshape(1, 4, 4, 3)
    with pytest.warns(UserWarning, match=r"gallery.*at most 1,.*value_range=\(0, 1\)"):
        visualization.plot_image_gallery(images, show=False)
