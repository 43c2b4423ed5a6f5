"""In PyTorch: its own modules, with fused Adam, images channels first."""

import functools

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class Cell(nn.Module):
    """A recurrent module of torch, of which the last step is taken."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        _, state = self.module(x)
        h = state[0] if isinstance(state, tuple) else state
        return torch.cat(list(h[-2:]), -1) if self.module.bidirectional else h[-1]


class Attention(nn.Module):
    """Four heads; scores, softmax and sum in one kernel."""

    def __init__(self, width, causal):
        super().__init__()
        self.projections = nn.Linear(width, 3 * width)
        self.output, self.causal = nn.Linear(width, width), causal

    def forward(self, x):
        shape = (*x.shape[:2], 12, -1)
        q, k, v = self.projections(x).view(shape).transpose(1, 2).chunk(3, 1)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.output(y.transpose(1, 2).flatten(2))


class Residual(nn.Module):
    """`after(main(x) + side(x))`."""

    def __init__(self, main, side=None, after=None):
        super().__init__()
        self.main, self.side = main, side or nn.Identity()
        self.after = after or nn.Identity()

    def forward(self, x):
        return self.after(self.main(x) + self.side(x))


class Mean(nn.Module):
    """The mean over some axes."""

    def __init__(self, *axes):
        super().__init__()
        self.axes = axes

    def forward(self, x):
        return x.mean(self.axes)


def _block(width, causal=False):
    attention = nn.Sequential(nn.LayerNorm(width, 1e-3), Attention(width, causal))
    layers = nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
    dense = nn.Sequential(nn.LayerNorm(width, 1e-3), *layers)
    return [Residual(attention), Residual(dense)]


def _normed(inputs, filters, strides=1, size=3, groups=1):
    return [
        nn.Conv2d(inputs, filters, size, strides, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(filters, 1e-3, 0.01),
    ]


def _mlp(units):
    sizes = {128: 784, 64: 64}
    layers = nn.Linear(sizes[units], units), nn.ReLU(), nn.Dropout(0.2)
    return [*layers, nn.Linear(units, 10)]


def _wide():
    layers = nn.Linear(1024, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU()
    return [*layers, nn.Linear(4096, 10)]


def _cnn():
    layers = nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)
    layers += nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)
    return [*layers, nn.Flatten(), nn.Linear(1600, 10)]


def _resnet():
    layers, channels = [*_normed(3, 16), nn.ReLU()], 16
    for filters, first_strides in ((16, 1), (32, 2), (64, 2), (128, 2)):
        for strides in (first_strides, 1):
            main = [*_normed(channels, filters, strides), nn.ReLU()]
            main = nn.Sequential(*main, *_normed(filters, filters))
            side = None
            if strides != 1 or channels != filters:
                side = nn.Sequential(*_normed(channels, filters, strides, 1))
            layers.append(Residual(main, side, nn.ReLU()))
            channels = filters
    return [*layers, Mean(2, 3), nn.Linear(128, 10)]


def _mobilenet():
    layers, channels = [*_normed(3, 16), nn.ReLU()], 16
    for filters, strides in ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1)):
        layers += _normed(channels, channels, strides, groups=channels)
        layers += [nn.ReLU(), *_normed(channels, filters, size=1), nn.ReLU()]
        channels = filters
    return [*layers, Mean(2, 3), nn.Linear(128, 10)]


def _recurrent(kind, units=64, **options):
    module = kind(16, units, batch_first=True, **options)
    return [Cell(module), nn.Linear(64, 10)]


def _decoder():
    blocks = _block(128, True) + _block(128, True)
    last = nn.LayerNorm(128, 1e-3), nn.Linear(128, 1000)
    return [nn.Embedding(1000, 128), *blocks, *last]


def _recommender():
    hidden = nn.Flatten(), nn.Linear(64, 32), nn.ReLU()
    return [nn.Embedding(1_000_000, 32), *hidden, nn.Linear(32, 2)]


def _autoencoder():
    layers, channels = [], 1
    for filters in (16, 32):
        layers += [nn.Conv2d(channels, filters, 3, 2, 1), nn.ReLU()]
        channels = filters
    for filters in (32, 16):
        transposed = nn.ConvTranspose2d(channels, filters, 3, 2, 1, 1)
        layers += [transposed, nn.ReLU()]
        channels = filters
    return [*layers, nn.Conv2d(channels, 1, 3, padding=1)]


NETWORKS = {
    "mlp": functools.partial(_mlp, 128),
    "digits": functools.partial(_mlp, 64),
    "wide_mlp": _wide,
    "cnn": _cnn,
    "resnet": _resnet,
    "mobilenet": _mobilenet,
    "lstm": lambda: _recurrent(nn.LSTM),
    "gru": lambda: _recurrent(nn.GRU),
    "stacked_gru": lambda: _recurrent(nn.GRU, num_layers=2),
    "bidirectional_lstm": lambda: _recurrent(nn.LSTM, 32, bidirectional=True),
    "transformer": lambda: [*_block(64), *_block(64), Mean(1), nn.Linear(64, 10)],
    "decoder": _decoder,
    "recommender": _recommender,
    "autoencoder": _autoencoder,
}


def loss_of(outputs, y):
    """Return the cross-entropy of classes, or the squared error of images."""
    if y.is_floating_point():
        return functional.mse_loss(outputs, y)
    return functional.cross_entropy(outputs.flatten(0, -2), y.flatten())


class Loop:
    """A network with its data as tensors, on a GPU where there is one."""

    def __init__(self, name, workload, scanned=False):
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.batch, self.images = workload.batch, workload.kind == "images"
        x, y = (torch.from_numpy(a).to(device) for a in workload.data())
        if len(workload.shape) == 3:
            x = x.permute(0, 3, 1, 2).contiguous()
        self.x, self.y = x, x if self.images else y.long()
        self.network = nn.Sequential(*NETWORKS[name]()).to(device)
        weights = self.network.parameters()
        self.optimizer = torch.optim.Adam(weights, lr=1e-3, eps=1e-7, fused=True)

    def epoch(self):
        """Train an epoch; the loss and the accuracy come to the host."""
        self.network.train()
        order = torch.randperm(len(self.x), device=self.x.device)
        total, correct = torch.zeros((2,), device=self.x.device)
        for begin in range(0, len(self.x), self.batch):
            rows = order[begin : begin + self.batch]
            x, y = self.x[rows], self.y[rows]
            outputs = self.network(x)
            loss = loss_of(outputs, y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            with torch.no_grad():
                total += loss * len(rows)
                if not self.images:
                    correct += (outputs.argmax(-1) == y).sum()
        return [float(total), float(correct)]

    @torch.inference_mode()
    def predict(self, rows, batch):
        """Return the outputs of the first rows, on the host."""
        self.network.eval()
        parts = [
            self.network(self.x[begin : min(begin + batch, rows)])
            for begin in range(0, rows, batch)
        ]
        return np.concatenate([part.cpu().numpy() for part in parts])
