"""Files on disk: atomic writing, and the opening of regular files only."""
