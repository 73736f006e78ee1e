"""The one reader of tables of wells, as programs and people write them: plate maps and tables of responses."""

from gandl_shared.plates.tables.reader import read_table, table_of_bytes, table_of_text
from gandl_shared.plates.tables.table import Row, Table, TableForm

__all__ = ["Row", "Table", "TableForm", "read_table", "table_of_bytes", "table_of_text"]
