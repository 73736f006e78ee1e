"""The pages on which numbers lead to their pixels: a compound and a well."""
