"""Is there a dose effect, and does the chosen curve fit: the tests of a design, and their null distributions."""
