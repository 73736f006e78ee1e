"""Numbers, units and concentrations in the cells of a table."""
