"""The files of screens: vectors and thumbnails as Parquet, results as documents."""

from gandl_shared.store.profiles import (
    Profiles,
    join_profiles,
    profiles_table,
    read_profiles,
    site_profiles,
    write_profiles,
)
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
    "Profiles",
    "Store",
    "Thumbnail",
    "join_profiles",
    "profiles_table",
    "read_profiles",
    "read_thumbnails",
    "site_profiles",
    "typical_tile",
    "write_profiles",
    "write_thumbnails",
]
