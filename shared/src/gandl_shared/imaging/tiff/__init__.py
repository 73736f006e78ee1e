"""TIFF files, read from their own bytes: the chain of directories, the XML of OME, and the planes of each image."""

from gandl_shared.imaging.safety.tiff_directories import MAX_PAGES
from gandl_shared.imaging.tiff.reading import open_tiff, reading_tiff
from gandl_shared.imaging.tiff.stack import Stack, images_of

__all__ = ["MAX_PAGES", "Stack", "images_of", "open_tiff", "reading_tiff"]
