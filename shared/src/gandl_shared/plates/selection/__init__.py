"""From the images of a folder to the files of each site: which plate, which of several files, which channel order."""

from gandl_shared.plates.selection.assembly import assemble, files_by_field
from gandl_shared.plates.selection.channels import (
    ChannelOrder,
    ModelInput,
    channel_names,
    contradicts,
    order_channels,
)
from gandl_shared.plates.selection.choice import ChosenFiles, choose_files
from gandl_shared.plates.selection.coverage import wells_with_images
from gandl_shared.plates.selection.links import LinkCheck
from gandl_shared.plates.selection.pixel_sizes import check_pixel_sizes
from gandl_shared.plates.selection.plate_names import assign_plates

__all__ = [
    "ChannelOrder",
    "ChosenFiles",
    "LinkCheck",
    "ModelInput",
    "assemble",
    "assign_plates",
    "channel_names",
    "check_pixel_sizes",
    "choose_files",
    "contradicts",
    "files_by_field",
    "order_channels",
    "wells_with_images",
]
