"""Many runs at a glance: read from their directories, grouped, compared, drawn. Needs no TensorFlow."""
