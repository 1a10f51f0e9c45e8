"""Claims as sweeps: a study's file, the command that runs it, evidence, verdict and report. Needs no TensorFlow."""
