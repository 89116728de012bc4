"""`python -m command_center.evidence.exports`: builds the package that its standard input asks for."""

from __future__ import annotations

from command_center.evidence.exports.process import main

if __name__ == "__main__":
    main()
