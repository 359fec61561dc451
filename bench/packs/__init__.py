"""Results of others: records and predictions of rows in one file, checked before they are added."""
