"""What a run found, told in several forms: each module is a pure function from a Report."""
