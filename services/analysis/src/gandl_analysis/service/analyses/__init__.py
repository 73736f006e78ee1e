"""Further analyses of a screen: their parameters, and the decisions of people that ask for them."""
