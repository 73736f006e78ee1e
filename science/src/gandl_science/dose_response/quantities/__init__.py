"""What is asked of a curve beside its EC50: crossings of a level, slopes, Emax, area and band with their certainty."""
