"""Compute once what never changes: what leaves a frozen prefix, stored by content."""
