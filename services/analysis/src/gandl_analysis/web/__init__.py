"""The only place of HTML: the report as one file, and the pages under /ui."""
