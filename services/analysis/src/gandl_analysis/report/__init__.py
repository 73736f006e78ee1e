"""The report of a screen as one HTML file. The report shows a finished result and computes nothing."""
