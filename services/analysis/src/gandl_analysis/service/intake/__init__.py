"""What comes into the service: tables, archives, and the output folders of other runs."""
