"""The files and tables that hold a result: the output folder, CSV tables, the layout in the store, response tables."""
