"""`python -m regraft`: the same as the command `regraft`."""

from regraft.cli.main import main

if __name__ == "__main__":
    main()
