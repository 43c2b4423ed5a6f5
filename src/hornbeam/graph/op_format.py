"""How saved graphs write an op: its class name, its module, what is an operand.

In a `.keras` file an op such as `ops.mean(x, axis=1)` is an object of a class `Mean` in
the module `keras.src.ops.numpy`. Its operands are the arguments of the call, and the
other arguments are the object's config.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from hornbeam.core.lazy import names_of

# Where the class name is not the op's name in CamelCase.
_CLASS_NAMES = {
    "abs": "Absolute",
    "allclose": "AllClose",
    "batch_normalization": "BatchNorm",
    "cdist": "CDist",
    "concat": "Concatenate",
    "ctc_decode": "CTCDecode",
    "ctc_loss": "CTCLoss",
    "fft": "FFT",
    "fft2": "FFT2",
    "hard_swish": "HardSilu",
    "hsv_to_rgb": "HSVToRGB",
    "ifft2": "IFFT2",
    "irfft": "IRFFT",
    "isin": "IsIn",
    "istft": "ISTFT",
    "layer_normalization": "LayerNorm",
    "psnr": "PSNR",
    "rfft": "RFFT",
    "rgb_to_grayscale": "RGBToGrayscale",
    "rgb_to_hsv": "RGBToHSV",
    "rms_normalization": "RMSNorm",
    "searchsorted": "SearchSorted",
    "ssim": "SSIM",
    "stft": "STFT",
    "svd": "SVD",
    "swish": "Silu",
}
# The lists of public ops whose names are those of modules in a file. The module of any
# other op goes by the module that holds it here.
_LISTS = ("numpy", "nn", "linalg", "image")
_HOMES = {
    "control": "core",
    "core": "core",
    "fourier": "math",
    "linalg": "math",
    "math": "math",
    "rearranging": "einops",
}

# What the operands are, where they are not the first arguments or their names do not
# tell: `*` takes all that is left.
_OPERAND_WORDS = {
    "arange": "start stop step",
    "average": "x weights",
    "batch_normalization": "x mean variance offset scale",
    "clip": "x",
    "ctc_decode": "inputs sequence_lengths",
    "ctc_loss": "target output target_length output_length",
    "digitize": "x bins",
    "dot_product_attention": "query key value bias mask scale",
    "einsum": "*operands",
    "full": "fill_value",
    "full_like": "x fill_value",
    "in_top_k": "targets predictions",
    "isclose": "x1 x2 rtol atol",
    "layer_normalization": "x gamma beta",
    "map_coordinates": "inputs coordinates",
    "meshgrid": "*x",
    "pad": "x constant_values",
    "percentile": "x q",
    "perspective_transform": "images start_points end_points",
    "affine_transform": "images transform",
    "polar": "abs_ angle",
    "quantile": "x q",
    "nanpercentile": "x q",
    "nanquantile": "x q",
    "rearrange": "tensor pattern",
    "rms_normalization": "x scale",
    "scale_and_translate": "images output_shape scale translation",
    "searchsorted": "sorted_sequence values",
    "segment_max": "data segment_ids",
    "segment_min": "data segment_ids",
    "segment_prod": "data segment_ids",
    "segment_sum": "data segment_ids",
    "select": "condlist choicelist default",
    "separable_conv": "inputs depthwise_kernel pointwise_kernel",
    "slice": "inputs start_indices",
    "slice_update": "inputs start_indices updates",
    "squareplus": "x",
    "ssim": "image1 image2",
    "stop_gradient": "variable",
    "switch": "index branches *operands",
    "trapezoid": "y",
}  # fmt: skip
_OPERANDS = {op: tuple(names.split()) for op, names in _OPERAND_WORDS.items()}
_FIRST = frozenset({"images", "array"})
_OPERAND_NAMES = frozenset(
    "a b condition inputs input data target output y start stop query key value "
    "indices values updates arrays kernel tensor".split()
)


def class_name(op_name: str) -> str:
    """Return the name of the class that stands for the op in a file."""
    camel = "".join(part.capitalize() for part in op_name.split("_"))
    return _CLASS_NAMES.get(op_name, camel)


def module_name(op_name: str) -> str:
    """Return the module that a file gives for the op."""
    return f"keras.src.ops.{_modules().get(op_name, 'numpy')}"


@functools.cache
def _modules():
    """Return `{op name: module in a file}`."""
    homes = {
        name: _HOMES.get(home.removeprefix("hornbeam.ops."), "numpy")
        for name, (home, _) in names_of("hornbeam.ops").items()
    }
    return homes | {
        name: module for module in _LISTS for name in names_of(f"hornbeam.ops.{module}")
    }


def operands(op_name: str, parameters: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the op's operands, in the order of the saved call.

    `parameters` are the names of the op's parameters.
    """
    if op_name in _OPERANDS:
        return _OPERANDS[op_name]
    names = []
    for position, name in enumerate(parameters):
        known = name.startswith("x") or name in _OPERAND_NAMES
        if not known and not (position == 0 and name in _FIRST):
            break
        names.append(name)
    return tuple(names)


def before_operands(op_name: str) -> tuple[str, ...]:
    """Return the parameters before operands of any number."""
    return ("subscripts",) if op_name == "einsum" else ()
