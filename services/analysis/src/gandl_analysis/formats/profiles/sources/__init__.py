"""The files of tables of vectors, read in blocks of rows: CSV, Parquet and AnnData."""
