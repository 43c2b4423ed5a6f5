"""The doctor: what is wrong with a model, its data or its training, and what to do."""
