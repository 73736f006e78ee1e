"""What a reader takes along from a screen: tables, a workbook, structures, figures, a notebook, or all of it."""
