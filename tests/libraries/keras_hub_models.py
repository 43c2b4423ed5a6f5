"""KerasHub: small networks of its architectures compute what they do on Keras.

The program first runs itself in another process, in which `keras` is Keras: that one
writes weights and outputs, which are read and compared here.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import keras
import keras_hub
import numpy as np

keras.utils.set_random_seed(0)
numbers = np.random.default_rng(0)
models = keras_hub.models
text = {
    "token_ids": numbers.integers(1, 50, (2, 8)),
    "padding_mask": np.array([[1] * 8, [1] * 6 + [0] * 2]),
}
segments = {**text, "segment_ids": np.array([[0] * 4 + [1] * 4] * 2)}
images = numbers.uniform(0, 1, (2, 32, 32, 3)).astype("float32")
speech = {
    "encoder_features": numbers.normal(size=(2, 12, 80)).astype("float32"),
    "decoder_token_ids": text["token_ids"],
    "decoder_padding_mask": text["padding_mask"],
}
diffused = {
    "latent": numbers.normal(size=(2, 8, 8, 4)).astype("float32"),
    "context": numbers.normal(size=(2, 5, 16)).astype("float32"),
    "pooled_projection": numbers.normal(size=(2, 12)).astype("float32"),
    "timestep": np.array([[3.0], [500.0]], "float32"),
}
transformer = {"vocabulary_size": 50, "num_layers": 2, "intermediate_dim": 32}


def bert():
    return models.BertBackbone(
        **transformer, num_heads=2, hidden_dim=16, max_sequence_length=8
    )


def gpt2():
    return models.GPT2Backbone(
        **transformer, num_heads=2, hidden_dim=16, max_sequence_length=8
    )


def llama():
    return models.LlamaBackbone(
        **transformer, num_query_heads=4, num_key_value_heads=2, hidden_dim=16
    )


def gemma():
    return models.GemmaBackbone(
        **transformer,
        num_query_heads=4,
        num_key_value_heads=1,
        hidden_dim=16,
        head_dim=4,
    )


def vit():
    return models.ViTBackbone(
        image_shape=(32, 32, 3),
        patch_size=8,
        num_layers=2,
        num_heads=2,
        hidden_dim=16,
        mlp_dim=32,
    )


def resnet():
    return models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        image_shape=(32, 32, 3),
    )


def mobilenet():
    return models.MobileNetBackbone(
        stackwise_expansion=[[40, 56], [64, 144]],
        stackwise_num_blocks=[2, 2],
        stackwise_num_filters=[[16, 16], [24, 24]],
        stackwise_kernel_size=[[3, 3], [5, 5]],
        stackwise_num_strides=[[2, 1], [2, 1]],
        stackwise_se_ratio=[[None, None], [0.25, 0.25]],
        stackwise_activation=[["relu", "relu"], ["hard_swish", "hard_swish"]],
        stackwise_padding=[[1, 1], [2, 2]],
        output_num_filters=32,
        depthwise_filters=8,
        depthwise_stride=2,
        depthwise_residual=False,
        last_layer_filter=32,
        squeeze_and_excite=0.5,
        image_shape=(32, 32, 3),
    )


def whisper():
    return models.WhisperBackbone(
        **transformer,
        num_heads=2,
        hidden_dim=16,
        max_encoder_sequence_length=12,
        max_decoder_sequence_length=8,
    )


def vae():
    from keras_hub.src.models.vae.vae_backbone import VAEBackbone

    return VAEBackbone(
        encoder_num_filters=[32, 32],
        encoder_num_blocks=[1, 1],
        decoder_num_filters=[32, 32],
        decoder_num_blocks=[1, 1],
        sampler_method="mode",
        sample_channels=8,
    )


def diffusion_transformer():
    from keras_hub.src.models.stable_diffusion_3.mmdit import MMDiT

    return MMDiT(
        patch_size=2,
        hidden_dim=16,
        num_layers=2,
        num_heads=2,
        position_size=8,
        latent_shape=(8, 8, 4),
        context_shape=(None, 16),
        pooled_projection_shape=(12,),
        qk_norm="rms_norm",
    )


BACKBONES = {
    bert: segments,
    gpt2: text,
    llama: text,
    gemma: text,
    vit: images,
    resnet: images,
    mobilenet: images,
    whisper: speech,
    vae: images,
    diffusion_transformer: diffused,
}


def outputs_of(model, inputs):
    y = model.predict(inputs, verbose=0)
    y = y if isinstance(y, dict) else {"output": y}
    return {name: np.asarray(value) for name, value in y.items()}


def write(folder):
    """Write weights and outputs of each network, on Keras."""
    for build, inputs in BACKBONES.items():
        model = build()
        for variable in model.weights:
            values = numbers.normal(0, 0.2, variable.shape)
            if "variance" in variable.path:
                values = 1 + np.abs(values)
            if "seed" not in variable.path:
                variable.assign(values)
        model.save_weights(folder / f"{build.__name__}.weights.h5")
        model.save(folder / f"{build.__name__}.keras")
        np.savez(folder / f"{build.__name__}.npz", **outputs_of(model, inputs))


def load(path, model):
    """Load a file; KerasHub registers most of its classes, but not all."""
    known = {type(model).__name__: type(model)}
    return keras.saving.load_model(path, custom_objects=known)


def compare(folder):
    """Compare what hornbeam computes, from the weights and from the whole file."""
    for build, inputs in BACKBONES.items():
        name = build.__name__
        expected = dict(np.load(folder / f"{name}.npz"))
        model = build()
        model.load_weights(folder / f"{name}.weights.h5")
        loaded = load(folder / f"{name}.keras", model)
        for one in (model, loaded):
            found = outputs_of(one, inputs)
            assert sorted(found) == sorted(expected), name
            for key, value in expected.items():
                np.testing.assert_allclose(
                    found[key], value, rtol=1e-4, atol=1e-4, err_msg=f"{name} {key}"
                )
        model.save(folder / f"{name}-again.keras")
        again = outputs_of(load(folder / f"{name}-again.keras", model), inputs)
        for key, value in again.items():
            np.testing.assert_allclose(value, expected[key], rtol=1e-4, atol=1e-4)


if len(sys.argv) > 1:
    write(pathlib.Path(sys.argv[1]))
    sys.exit()
with tempfile.TemporaryDirectory() as folder:
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    environment.pop("HORNBEAM_AS_KERAS", None)
    subprocess.run([sys.executable, __file__, folder], env=environment, check=True)
    compare(pathlib.Path(folder))
