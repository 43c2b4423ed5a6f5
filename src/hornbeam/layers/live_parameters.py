"""A layer as others' libraries see it: a module with live parameters."""

from hornbeam import backends
from hornbeam.core import scopes


class LiveParameters:
    """The part of a layer that works with `torch.nn`; see `Layer`."""

    def torch_module(self):
        """Return a built layer on the torch engine as a `torch.nn.Module`.

        It has the layer's live weights as parameters and its other variables as
        buffers, named by their paths, so `state_dict()`, `.to(device)`, `torch.optim`,
        `torch.nn.Sequential` and the like work with them. In the mode of
        `module.train()` the layer is called with `training=True`.

        >>> import hornbeam as keras
        >>> with keras.config.backend_scope("torch"):
        ...     layer = keras.layers.Dense(2)
        ...     layer.build((None, 3))
        >>> [tuple(p.shape) for p in layer.torch_module().parameters()]
        [(3, 2), (2,)]
        """
        engine = backends.get(self._backend_name or backends.default_name())
        if not hasattr(engine, "as_module"):
            raise AttributeError(
                f"`torch_module()` of layer {self.path!r} needs the torch backend; the "
                f"layer belongs to {engine.name!r}. Move it with "
                "`layer.to_backend('torch')`."
            )
        if not self.built:
            raise ValueError(
                f"Layer {self.path!r} has no weights yet: call it on data, or "
                "`build()` it, before `torch_module()`."
            )
        with scopes.autocast_scope(None):
            return engine.as_module(self._called_by_others, self.variables)

    def _called_by_others(self, *args, training, **kwargs):
        from hornbeam.layers.call import call_info

        info = call_info(type(self).call)
        if info.has_training or info.takes_any:
            kwargs["training"] = training
        return self(*args, **kwargs)

    def zero_grad(self, set_to_none=True):
        """Forget the gradients of a layer on the torch engine, as in `torch.nn`.

        Args:
            set_to_none: whether they are None afterwards, else zeros. Default: True.

        >>> import hornbeam as keras
        >>> with keras.config.backend_scope("torch"):
        ...     layer = keras.layers.Dense(2)
        ...     layer(keras.ops.ones((1, 3))).sum().backward()
        >>> layer.zero_grad()
        >>> [v.value.grad for v in layer.trainable_variables]
        [None, None]
        """
        self._needs_live_parameters("zero_grad")
        for variable in self.variables:
            gradient = variable._value.grad
            if set_to_none or gradient is None:
                variable._value.grad = None
            else:
                variable._value.grad = gradient.detach().zero_()

    def _needs_live_parameters(self, method):
        engine = backends.get(self._backend_name or backends.default_name())
        if not engine.live_parameters:
            raise AttributeError(
                f"`{method}()` of layer {self.path!r} needs the torch backend; the "
                f"layer belongs to {engine.name!r}. Move it with "
                "`layer.to_backend('torch')`, or write the step with "
                "`keras.value_and_grad`, which runs on every backend."
            )

    def state_dict(self):
        """Return `{path: tensor}` of a layer on the torch engine, with live tensors."""
        return dict(self.torch_module().state_dict())

    def load_state_dict(self, state_dict, strict=True):
        """Set the variables of a layer on the torch engine by their paths.

        Args:
            state_dict: tensors by path, as `state_dict` gives them.
            strict: whether the paths must be all of the layer's. Default: True.
        """
        return self.torch_module().load_state_dict(state_dict, strict=strict)

    def to(self, *args, **kwargs):
        """Move a layer on the torch engine, as `torch.nn.Module.to` does; return it."""
        self.torch_module().to(*args, **kwargs)
        return self
