"""The certainty of curves and of dose means: intervals by profile likelihood and by the bootstrap."""
