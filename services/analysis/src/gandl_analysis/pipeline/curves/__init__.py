"""The dose-response curves of a screen: which wells belong to each compound, and what is fitted to them."""
