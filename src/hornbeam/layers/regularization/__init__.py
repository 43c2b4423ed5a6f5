"""Layers against overfitting: noise while training, penalties of outputs."""
