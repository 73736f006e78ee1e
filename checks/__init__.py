"""The rules of the house as small programs: names, the width of folders, and tests that mirror the tree."""
