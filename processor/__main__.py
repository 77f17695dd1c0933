"""`python -m processor` is the console script `croupier`."""

from processor.ops.main import main

if __name__ == "__main__":
    main()
