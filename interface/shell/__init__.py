"""How commands meet the terminal: options, progress bars, worker processes."""
