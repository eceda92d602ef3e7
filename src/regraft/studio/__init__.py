"""The studio: interactive pages over the package's verbs, served on this machine alone unless told otherwise.

The server process loads no torch: what computes runs in worker processes, which it speaks to in JSON lines.
"""
