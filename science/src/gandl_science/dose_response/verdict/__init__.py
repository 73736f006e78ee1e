"""What a fitted curve means: its size and direction, deviation off the axis, verdict and flags."""
