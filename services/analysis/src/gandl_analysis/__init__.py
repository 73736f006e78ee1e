"""Turns embeddings into efficacies, dose-response curves and assay quality."""
