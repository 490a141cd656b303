"""`python -m assay` is `assay`."""

from assay.start import main

main()
