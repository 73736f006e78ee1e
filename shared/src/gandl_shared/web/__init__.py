"""What every HTTP service shares."""
