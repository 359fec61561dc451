"""Downloads of raw data sets over HTTP: mirrors in order, resumed, compared with a checksum."""
