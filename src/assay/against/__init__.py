"""The same suites on other versions: an environment over the current one, in which some distributions are replaced."""
