"""The table of a plate map: its columns, its rows, and the roles of wells."""
