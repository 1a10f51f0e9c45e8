"""Runs started, one or many: each in a process of its own, by whichever launcher of Hydra's."""
