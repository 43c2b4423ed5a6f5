"""The basic layers."""
