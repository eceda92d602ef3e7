"""`python -m regraft.cli`."""

from regraft.cli.main import main

main()
