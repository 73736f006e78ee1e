"""What the routes call: submissions, results, parameters, models, comparison, ranking and runs."""
