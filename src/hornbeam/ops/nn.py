"""The functions of neural networks, from the modules that hold them."""

# ruff: noqa: F401

from hornbeam.ops.activation import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh_shrink,
    threshold,
)
from hornbeam.ops.attention import dot_product_attention, linear
from hornbeam.ops.classification import (
    binary_crossentropy,
    categorical_crossentropy,
    multi_hot,
    one_hot,
    sparse_categorical_crossentropy,
)
from hornbeam.ops.convolution import (
    conv,
    conv_transpose,
    depthwise_conv,
    separable_conv,
)
from hornbeam.ops.ctc import ctc_decode, ctc_loss
from hornbeam.ops.normalization import (
    batch_normalization,
    layer_normalization,
    moments,
    normalize,
    psnr,
    rms_normalization,
)
from hornbeam.ops.patches import depth_to_space, fold, space_to_depth, unfold
from hornbeam.ops.polar_form import polar
from hornbeam.ops.pool import (
    adaptive_average_pool,
    adaptive_max_pool,
    average_pool,
    max_pool,
)
