"""Reinforcement: an actor with a critic, and Q-learning with a target network.

The world is a corridor of five places: right is rewarded at its end.
"""

import numpy as np
from catalogue import program
from checks import array

PLACES, STEPS = 5, 8


def observe(place):
    return np.eye(PLACES, dtype="float32")[place]


def move(place, action):
    """Return the next place and the reward: 1 a step spent at the right end."""
    place = int(np.clip(place + (1 if action else -1), 0, PLACES - 1))
    return place, float(place == PLACES - 1)


def actor_and_critic(keras):
    inputs = keras.Input((PLACES,))
    common = keras.layers.Dense(16, activation="relu")(inputs)
    action = keras.layers.Dense(2, activation="softmax")(common)
    critic = keras.layers.Dense(1)(common)
    return keras.Model(inputs, [action, critic])


def episode(keras, model, random):
    """Play an episode; return its observations, actions and discounted rewards."""
    place, seen, actions, rewards = 0, [], [], []
    for _ in range(STEPS):
        chances, _ = model(observe(place)[None])
        chances = np.squeeze(array(keras, chances)).astype("float64")
        action = random.choice(2, p=chances / chances.sum())
        seen.append(observe(place))
        actions.append(action)
        place, reward = move(place, action)
        rewards.append(reward)
    returns, later = [], 0.0
    for reward in reversed(rewards):
        later = reward + 0.9 * later
        returns.insert(0, later)
    return np.array(seen), np.eye(2, dtype="float32")[actions], np.float32(returns)


def episode_loss(keras, outputs, actions, returns):
    """The actor's loss by its advantage, and the critic's."""
    chances, values = outputs
    values = keras.ops.squeeze(values, -1)
    advantage = returns - values
    chosen = keras.ops.log(keras.ops.sum(chances * actions, axis=1) + 1e-7)
    actor = -keras.ops.mean(chosen * keras.ops.stop_gradient(advantage))
    return actor + keras.ops.mean(keras.losses.huber(returns[:, None], values[:, None]))


def learn_once(keras, model, optimizer):
    def learn(seen, actions, returns):
        actions, returns = (keras.ops.array(x) for x in (actions, returns))
        weights = model.trainable_variables
        _, gradients = keras.value_and_grad(
            lambda: episode_loss(keras, model(seen), actions, returns), weights
        )
        optimizer.apply(gradients, weights)

    return learn


def learn_tensorflow(keras, model, optimizer):
    import tensorflow as tf

    def learn(seen, actions, returns):
        with tf.GradientTape() as tape:
            loss = episode_loss(keras, model(seen), actions, returns)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(
            zip(gradients, model.trainable_variables, strict=True)
        )

    return learn


def learn_torch(keras, model, optimizer):
    import torch

    def learn(seen, actions, returns):
        model.zero_grad()
        tensors = [torch.as_tensor(x) for x in (actions, returns)]
        episode_loss(keras, model(torch.as_tensor(seen)), *tensors).backward()
        weights = list(model.trainable_variables)
        with torch.no_grad():
            optimizer.apply([v.value.grad for v in weights], weights)

    return learn


def learn_jax(keras, model, optimizer):
    import jax

    @jax.jit
    def step(values, state, seen, actions, returns):
        def loss(values):
            outputs, _ = model.stateless_call(values, [], seen)
            return episode_loss(keras, outputs, actions, returns)

        return optimizer.stateless_apply(state, jax.grad(loss)(values), values)

    optimizer.build(model.trainable_variables)

    def learn(seen, actions, returns):
        lists = (model.trainable_variables, optimizer.variables)
        values, state = ([v.value for v in variables] for variables in lists)
        new = step(values, state, seen, actions, returns)
        for variables, updated in zip(lists, new, strict=True):
            for variable, value in zip(variables, updated, strict=True):
                variable.assign(value)

    return learn


def act(keras, learn):
    random = np.random.default_rng(0)
    model = actor_and_critic(keras)
    learn = learn(keras, model, keras.optimizers.Adam(0.03))
    for _ in range(25):
        learn(*episode(keras, model, random))
    chances = array(keras, model(np.eye(PLACES))[0])
    assert chances[:4, 1].min() > 0.6, chances


@program
def actor_critic(keras):
    """Actions drawn from a network; a step of the engine's own after each episode."""
    forms = {"jax": learn_jax, "torch": learn_torch, "tensorflow": learn_tensorflow}
    act(keras, forms[keras.backend.backend()])


@program(beside="actor_critic")
def actor_critic_written_once(keras):
    """The same with `keras.value_and_grad`, on every engine."""
    act(keras, learn_once)


@program
def deep_q_learning(keras):
    """A target network, masked targets and `train_on_batch`."""
    random = np.random.default_rng(0)

    def network():
        return keras.Sequential(
            [
                keras.Input((PLACES,)),
                keras.layers.Dense(16, activation="relu"),
                keras.layers.Dense(2),
            ]
        )

    model, target = network(), network()
    target.set_weights(model.get_weights())
    model.compile(keras.optimizers.Adam(0.02), loss=keras.losses.Huber())
    places = random.integers(0, PLACES, 200)
    actions = random.integers(0, 2, 200)
    moves = [move(*pair) for pair in zip(places, actions, strict=True)]
    after, rewards = (np.array(x) for x in zip(*moves, strict=True))
    losses = []
    for step in range(120):
        rows = random.integers(0, 200, 32)
        future = target.predict_on_batch(observe(after[rows])).max(axis=1)
        wanted = np.array(model.predict_on_batch(observe(places[rows])))
        wanted[np.arange(32), actions[rows]] = rewards[rows] + 0.5 * future
        losses.append(float(model.train_on_batch(observe(places[rows]), wanted)))
        if step % 10 == 9:
            target.set_weights(model.get_weights())
            if step < 119:
                model.reset_metrics()
    value = model.predict(np.eye(PLACES), verbose=0)
    assert np.all(value[:, 1] > value[:, 0]), value
    # Arriving at the end is worth as much as staying there.
    np.testing.assert_allclose(value[:, 1], [0.25, 0.5, 1, 2, 2], atol=0.1)
