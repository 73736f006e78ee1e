"""Tables of vectors that gandl did not compute, as the input of an analysis: wells, fields of view or cells in rows."""
