"""What `compile()` takes: losses, metrics and weights, one per output."""
