"""The worker: it decodes, embeds and stores the images of a batch."""
