"""What the services cost beside the model: the stack against one process, and screens of growing size."""
