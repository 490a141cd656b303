"""The web page and the JSON API of AutoTest: every way in from outside is in this package."""
