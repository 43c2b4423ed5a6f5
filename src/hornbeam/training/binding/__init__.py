"""What a program is bound to: a model's structure, its variables, its data."""
