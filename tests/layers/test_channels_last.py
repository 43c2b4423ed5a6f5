"""On PyTorch, images with channels last go through layers as they lie in memory."""

import pytest

import hornbeam as keras
from hornbeam import backends, layers

torch = pytest.importorskip("torch")

BATCH = 7  # a size that no kernel has
CHAIN = {
    "valid": lambda: [
        layers.Conv2D(16, 3),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Conv2D(16, 3, strides=2),
        layers.BatchNormalization(),
        layers.AveragePooling2D(2),
    ],
    "same": lambda: [
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2, padding="same"),
        layers.DepthwiseConv2D(3, padding="same"),
        layers.SeparableConv2D(16, 3, padding="same"),
        layers.Conv2DTranspose(16, 3, padding="same"),
    ],
}


@pytest.mark.parametrize("padding", CHAIN)
def test_no_activation_is_copied_forward_or_backward(padding):
    """The profiler sees the copies that kernels make of what does not suit them."""
    from torch.profiler import ProfilerActivity, profile

    x = torch.rand(BATCH, 20, 20, 16)
    with backends.scope("torch"):
        model = keras.Sequential([layers.Input((20, 20, 16)), *CHAIN[padding]()])

        def step():
            outputs = model(x, training=True)
            upstream = torch.ones(outputs.shape)
            torch.autograd.grad(outputs, list(model.parameters()), upstream)

        step()
        with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as found:
            step()
    copied = [event.input_shapes[0] for event in found.events()
              if event.name == "aten::copy_" and event.input_shapes]  # fmt: skip
    assert copied, "the profiler sees copies of kernels, at least"
    assert [shape for shape in copied if shape[:1] == [BATCH]] == []
