"""Summaries of many runs, made from their directories without TensorFlow: groups, comparisons, plots and reports."""
