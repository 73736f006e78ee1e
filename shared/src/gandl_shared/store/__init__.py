"""The files of screens: vectors, thumbnails and names of images as Parquet, results as documents."""

from gandl_shared.store.profiles import (
    Profiles,
    join_profiles,
    profiles_table,
    read_batch,
    read_profiles,
    site_profiles,
    write_batch,
    write_profiles,
)
from gandl_shared.store.site_files import ImageFolder, SiteFiles, is_text, read_site_files, write_site_files
from gandl_shared.store.store import Store
from gandl_shared.store.thumbnails import (
    THUMBNAIL_EDGE,
    GreyPicture,
    Thumbnail,
    read_thumbnails,
    typical_tile,
    write_thumbnails,
)

__all__ = [
    "THUMBNAIL_EDGE",
    "GreyPicture",
    "ImageFolder",
    "Profiles",
    "SiteFiles",
    "Store",
    "Thumbnail",
    "is_text",
    "join_profiles",
    "profiles_table",
    "read_batch",
    "read_profiles",
    "read_site_files",
    "read_thumbnails",
    "site_profiles",
    "typical_tile",
    "write_batch",
    "write_profiles",
    "write_site_files",
    "write_thumbnails",
]
