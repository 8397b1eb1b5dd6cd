"""``python -m detequiv.demo``, or ``make demo``."""

from detequiv.demo.run import main

if __name__ == "__main__":  # not in the worker processes, which import this again
    main()
