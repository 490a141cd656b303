"""The page where a team looks at what CI found: reports of `assay run`, comparisons, and trends of guarantees."""
