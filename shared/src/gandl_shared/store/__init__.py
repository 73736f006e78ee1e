"""The files of screens: vectors as Parquet, results as documents."""

from gandl_shared.store.profiles import Profiles, concatenated, of_site, read_profiles, write_profiles
from gandl_shared.store.store import Store

__all__ = ["Profiles", "Store", "concatenated", "of_site", "read_profiles", "write_profiles"]
