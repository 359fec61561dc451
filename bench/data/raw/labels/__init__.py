"""Label formats of people's own data, each a `LabelFormat`; `formats.FORMATS` lists them."""
