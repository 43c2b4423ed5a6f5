"""torch's modules trained by skorch, as its users do: no accuracy is computed."""

import skorch
import torch

from by_hand import torch_code

NETWORKS = torch_code.NETWORKS


class Loss(torch.nn.Module):
    """The loss of a workload, for outputs of any rank."""

    def forward(self, outputs, y):
        return torch_code.loss_of(outputs, y)


class Loop(torch_code.Loop):
    """A network with its data as tensors."""

    def __init__(self, name, workload, scanned=False):
        super().__init__(name, workload)
        self.trainer = skorch.NeuralNet(
            self.network,
            Loss,
            optimizer=torch.optim.Adam,
            optimizer__eps=1e-7,
            optimizer__fused=True,
            lr=1e-3,
            max_epochs=1,
            batch_size=self.batch,
            iterator_train__shuffle=True,
            train_split=None,
            verbose=0,
            device=str(self.x.device),
        )

    def epoch(self):
        """Train an epoch."""
        self.trainer.partial_fit(self.x, self.y)

    def predict(self, rows, batch):
        """Return the outputs of the first rows, on the host."""
        return self.trainer.predict_proba(self.x[:rows])
