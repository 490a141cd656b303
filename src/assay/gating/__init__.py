"""The gate of a team's CI: several proofs, one verdict."""
