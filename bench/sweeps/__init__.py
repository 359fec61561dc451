"""`bench sweep`: hyperparameters searched on the validation split, over the trials of the grid."""
