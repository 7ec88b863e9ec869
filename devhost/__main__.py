"""`python -m devhost`, so that the host needs no console script."""

import sys

from devhost.cli import main

if __name__ == "__main__":
    sys.exit(main())
