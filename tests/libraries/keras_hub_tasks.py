"""KerasHub: tasks train, generate text with each sampler, and go to files and back.

The program first runs itself in another process, in which `keras` is Keras: that one
writes a whole model, what it generates and its losses, which are compared here.
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
models, samplers = keras_hub.models, keras_hub.samplers
prompt = {
    "token_ids": np.pad(numbers.integers(1, 30, (2, 4)), ((0, 0), (0, 8))),
    "padding_mask": np.pad(np.ones((2, 4), int), ((0, 0), (0, 8))),
}
tokens = numbers.integers(1, 30, (16, 12))
examples = {"token_ids": tokens, "padding_mask": np.ones_like(tokens)}
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "a"]
reviews = ["a good film", "a bad film", "good good", "bad", "good film", "bad film"]
ratings = np.array([1, 0, 1, 0, 1, 0])


def gpt2():
    backbone = models.GPT2Backbone(
        vocabulary_size=30,
        num_layers=2,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        dropout=0.0,
        max_sequence_length=12,
    )
    return models.GPT2CausalLM(backbone)


def gemma():
    backbone = models.GemmaBackbone(
        vocabulary_size=30,
        num_layers=2,
        num_query_heads=4,
        num_key_value_heads=1,
        hidden_dim=16,
        intermediate_dim=32,
        head_dim=4,
    )
    return models.GemmaCausalLM(backbone)


def classifier():
    tokenizer = models.BertTokenizer(words, lowercase=True)
    backbone = models.BertBackbone(
        vocabulary_size=len(words),
        num_layers=1,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        dropout=0.0,
        max_sequence_length=6,
    )
    preprocessor = models.BertTextClassifierPreprocessor(tokenizer, sequence_length=6)
    return models.BertTextClassifier(backbone, 2, preprocessor, dropout=0.0)


def generated(model, sampler):
    model.compile(sampler=sampler)
    made = model.generate(prompt, stop_token_ids=None)
    return np.asarray(made["token_ids"])


def one_step(model):
    """Return the losses of two epochs of one step each."""
    model.compile(
        keras.optimizers.SGD(0.1),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    history = model.fit(
        examples, np.roll(tokens, -1, 1), batch_size=16, epochs=2, verbose=0
    )
    return history.history["loss"]


def rated(model):
    """Return the losses of training on texts, and predictions for texts."""
    model.compile(
        keras.optimizers.SGD(0.1),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    losses = model.fit(reviews, ratings, batch_size=6, epochs=3, verbose=0)
    return losses.history["loss"], model.predict(reviews, verbose=0)


def write(folder):
    """Write models, generated tokens and losses, on Keras."""
    for build in (gpt2, gemma):
        model = build()
        for variable in model.weights:
            variable.assign(numbers.normal(0, 0.5, variable.shape))
        name = build.__name__
        model.save(folder / f"{name}.keras")
        np.savez(
            folder / f"{name}.npz",
            greedy=generated(model, samplers.GreedySampler()),
            beam=generated(model, samplers.BeamSampler(num_beams=3)),
            loss=one_step(model),
        )
    model = classifier()
    model.save(folder / "classifier.keras")
    loss, predicted = rated(model)
    np.savez(folder / "classifier.npz", loss=loss, predicted=predicted)


def compare(folder):
    """Do the same with the models' files, and compare."""
    for name in ("gpt2", "gemma"):
        model = keras.saving.load_model(folder / f"{name}.keras")
        expected = np.load(folder / f"{name}.npz")
        greedy = generated(model, "greedy")
        np.testing.assert_array_equal(greedy, expected["greedy"])
        beam = generated(model, samplers.BeamSampler(num_beams=3))
        np.testing.assert_array_equal(beam, expected["beam"])
        if name == "gpt2":
            random_samplers(model, greedy)
        np.testing.assert_allclose(one_step(model), expected["loss"], rtol=1e-4)
    low_rank(model, folder)
    model = keras.saving.load_model(folder / "classifier.keras")
    expected = np.load(folder / "classifier.npz")
    loss, predicted = rated(model)
    np.testing.assert_allclose(loss, expected["loss"], rtol=1e-4)
    np.testing.assert_allclose(predicted, expected["predicted"], atol=1e-4)


def random_samplers(model, greedy):
    """Samplers that draw go on from the prompt, differently each time."""
    for name in ("beam", "contrastive", "random", "top_k", "top_p"):
        made = generated(model, name)
        np.testing.assert_array_equal(made[:, :4], prompt["token_ids"][:, :4])
    one = generated(model, samplers.TopKSampler(k=1, seed=1))
    np.testing.assert_array_equal(one, greedy)
    for sampler in (
        samplers.TopKSampler(k=5, seed=1, temperature=3.0),
        samplers.TopPSampler(p=0.9, seed=1, temperature=3.0),
        samplers.RandomSampler(seed=1, temperature=3.0),
    ):
        drawn = generated(model, sampler), generated(model, sampler)
        for made in drawn:
            np.testing.assert_array_equal(made[:, :4], prompt["token_ids"][:, :4])
            assert ((made >= 0) & (made < 30)).all()
        assert (drawn[0] != drawn[1]).any()


def low_rank(model, folder):
    """Trained low-rank parts of a backbone are saved and loaded alone."""
    before = model.predict(examples, verbose=0)
    model.save_weights(folder / "plain.weights.h5")
    model.backbone.enable_lora(2)
    np.testing.assert_allclose(model.predict(examples, verbose=0), before, atol=1e-5)
    losses = one_step(model)
    assert losses[1] < losses[0]
    trained = model.predict(examples, verbose=0)
    model.backbone.save_lora_weights(folder / "backbone.lora.h5")
    other = gemma()
    other.load_weights(folder / "plain.weights.h5")
    other.backbone.load_lora_weights(folder / "backbone.lora.h5")
    np.testing.assert_allclose(
        other.predict(examples, verbose=0), trained, rtol=1e-4, atol=1e-4
    )


if len(sys.argv) > 1:
    write(pathlib.Path(sys.argv[1]))
    sys.exit()
with tempfile.TemporaryDirectory() as folder:
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    environment.pop("HORNBEAM_AS_KERAS", None)
    subprocess.run([sys.executable, __file__, folder], env=environment, check=True)
    compare(pathlib.Path(folder))
