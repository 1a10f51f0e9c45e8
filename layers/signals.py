"""Names of what the gradient is measured of at every timestep."""

SIGNALS = ("h", "c", "kernel")
"""Hidden state, cell state, and the kernel's part in the gradient of that step."""
