"""Plates as instruments write them: each module reads one layout into the same list of image files."""

from gandl_shared.plates.layouts.detect import read_inventory
from gandl_shared.plates.layouts.images import PROJECTION, ChannelName, ImageFile, Inventory
from gandl_shared.plates.layouts.listing import Listing, list_folder

__all__ = ["PROJECTION", "ChannelName", "ImageFile", "Inventory", "Listing", "list_folder", "read_inventory"]
