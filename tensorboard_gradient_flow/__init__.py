"""Gradient flow in TensorBoard: the event files that hold per-timestep gradient norms, and their reading.

Knows TensorBoard and numpy; knows no model, and imports neither TensorFlow nor Keras of its own accord.
"""
