"""Runs the batches of a screen: decode, embed, store."""
