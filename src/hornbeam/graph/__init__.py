"""Symbolic tensors, the nodes that record calls, and functions of a graph."""
