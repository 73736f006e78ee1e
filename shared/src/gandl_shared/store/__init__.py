"""The files of screens: vectors as Parquet, results as documents."""

from gandl_shared.store.profiles import (
    Profiles,
    join_profiles,
    profiles_table,
    read_profiles,
    site_profiles,
    write_profiles,
)
from gandl_shared.store.store import Store

__all__ = ["Profiles", "Store", "join_profiles", "profiles_table", "read_profiles", "site_profiles", "write_profiles"]
