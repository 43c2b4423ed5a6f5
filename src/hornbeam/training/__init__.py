"""Training: compiled steps, the loop over them, compile() and fit()."""
