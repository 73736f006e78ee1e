"""What all pages share: HTML answers, templates, files, and the frame of the pages of a screen."""
