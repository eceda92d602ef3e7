"""From encoded bytes to arrays: the one place that decodes pictures."""
