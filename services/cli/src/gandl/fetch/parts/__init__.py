"""Data sets that are fetched part by part: tables, published vectors, and the images of chosen plates."""
