"""Tables of published data sets, read as plate maps: RxRx19a, RxRx1 (Recursion) and BBBC021 (Broad)."""

from gandl_shared.plates.map_table.published.bbbc021 import MOA_TABLE, is_bbbc021
from gandl_shared.plates.map_table.published.positive import EVERY_CONTROL
from gandl_shared.plates.map_table.published.reader import TABLE_NAMES, find_table, read_published
from gandl_shared.plates.map_table.published.recursion import is_recursion, is_rxrx1, is_rxrx19a, rxrx_plate

__all__ = [
    "EVERY_CONTROL",
    "MOA_TABLE",
    "TABLE_NAMES",
    "find_table",
    "is_bbbc021",
    "is_recursion",
    "is_rxrx1",
    "is_rxrx19a",
    "read_published",
    "rxrx_plate",
]
