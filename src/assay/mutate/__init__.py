"""Each reliability setting is flipped, and the verdicts must go red: what stays green nobody watches over."""
