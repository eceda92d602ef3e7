"""The command line: each command parses its options, calls one verb and prints what came back."""
