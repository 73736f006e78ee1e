"""The report of a screen as one HTML file. It renders a finished result and computes nothing."""
