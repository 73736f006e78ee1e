"""Published data sets: download, check, unpack and lay out for `gandl screen`. One module per data set."""
