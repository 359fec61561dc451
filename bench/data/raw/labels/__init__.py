"""Label formats for data of users, each a `LabelFormat`; `formats.FORMATS` lists them."""
