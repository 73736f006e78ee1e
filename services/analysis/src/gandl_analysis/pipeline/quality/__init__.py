"""The quality of an assay as `quality.json` holds it: metrics of held-out controls, and probes."""
