"""Pictures of the sites of a screen: at full resolution from the image files, and small from its thumbnails."""
