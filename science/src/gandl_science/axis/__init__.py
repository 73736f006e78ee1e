"""The axis between two groups of wells: whitening, held-out folds, the linear SVM, anchors and residuals."""
