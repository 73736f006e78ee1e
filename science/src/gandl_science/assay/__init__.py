"""The quality of an assay: separation of the controls, accuracy, confounding, position effects, replicates, images."""
