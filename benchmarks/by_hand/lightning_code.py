"""torch's modules trained by Lightning, without its files, bars and summaries."""

import logging
import warnings

import pytorch_lightning as lightning
import torch
from torch.utils.data import DataLoader, TensorDataset

from by_hand import torch_code

NETWORKS = torch_code.NETWORKS


class Module(lightning.LightningModule):
    """A network with its loss, accuracy and optimizer."""

    def __init__(self, loop):
        super().__init__()
        self.network, self._optimizer = loop.network, loop.optimizer

    def training_step(self, batch, _):
        x, y = batch
        outputs = self.network(x)
        loss = torch_code.loss_of(outputs, y)
        self.log("loss", loss, on_epoch=True, on_step=False)
        if y.dtype == torch.long:
            hits = (outputs.argmax(-1) == y).float().mean()
            self.log("accuracy", hits, on_epoch=True, on_step=False)
        return loss

    def predict_step(self, batch):
        return self.network(batch[0])

    def configure_optimizers(self):
        return self._optimizer


class Loop(torch_code.Loop):
    """A network with its data in a `DataLoader`."""

    def __init__(self, name, workload, scanned=False):
        super().__init__(name, workload)
        logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", module="pytorch_lightning")
        self.module = Module(self)
        self.rows = DataLoader(TensorDataset(self.x, self.y), self.batch, shuffle=True)
        self.trainer = lightning.Trainer(
            accelerator="auto",
            max_epochs=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )

    def epoch(self):
        """Train an epoch more."""
        self.trainer.fit_loop.max_epochs += 1
        self.trainer.fit(self.module, self.rows)

    def predict(self, rows, batch):
        """Return the outputs of the first rows, on the host."""
        loader = DataLoader(TensorDataset(self.x[:rows]), batch)
        return torch.cat(self.trainer.predict(self.module, loader)).cpu().numpy()
