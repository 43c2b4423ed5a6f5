"""Fits that run at the same time and share programs, data and the device."""
