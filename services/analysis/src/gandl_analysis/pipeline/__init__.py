"""The steps from the vectors of a screen to its result, in the order in which the data takes them."""
