"""Lets ``python -m mcuprune`` do what the ``mcuprune`` command does."""

from mcuprune.cli import main

if __name__ == "__main__":
    main()
