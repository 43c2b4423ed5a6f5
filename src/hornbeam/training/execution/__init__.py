"""How steps run: compiled programs, eager steps, and passes over the data."""
