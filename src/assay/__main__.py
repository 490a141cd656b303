"""`python -m assay` is `assay`."""

from assay.cli import main

main(prog_name="assay")
