"""The scores of wells and fields of view, and what people left out of them."""
