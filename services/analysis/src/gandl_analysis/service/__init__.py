"""What the routes and the task of the queue call: submissions, results, parameters, models, comparison and runs."""
