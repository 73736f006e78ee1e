"""Analyses of screens in the database, and the decisions of people about them."""
