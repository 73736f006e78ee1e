"""Commands that download published data sets, simulate screens, and draw the figures of the paper from such data."""
