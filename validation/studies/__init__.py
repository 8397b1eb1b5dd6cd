"""Long comparisons, each a command of the Makefile."""
