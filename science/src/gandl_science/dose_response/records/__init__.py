"""What goes into the fit of a curve and what comes out, as frozen values."""
