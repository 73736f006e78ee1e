"""What the routes call: submissions, results, parameters, models, comparison, filters and runs."""
