"""Studies: claims that are tested by sweeps, with their files, verdicts and reports. Does not import TensorFlow."""
