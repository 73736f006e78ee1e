"""What a request may be and how long it may take: its body, the presence of its client, its host, and its rights."""
