"""Where `assay` begins: Ctrl-C is one line from the first import on."""

import sys


def main() -> None:
    """Run the command, and exit."""
    try:
        from assay.cli import main as command  # takes a good part of a second

        command(prog_name="assay")
    except KeyboardInterrupt:
        sys.stderr.write("\n" * sys.stderr.isatty() + "assay: interrupted\n")  # a terminal has shown ^C
        sys.exit(130)
