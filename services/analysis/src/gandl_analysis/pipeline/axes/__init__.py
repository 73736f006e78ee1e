"""The axes of a screen: efficacy, the axes between other groups of wells, and the axes of an earlier screen."""
