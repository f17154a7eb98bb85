"""Vintages: where they lie, and how a table gets there whole and comes back unchanged.

- `vintages` lists, keeps and reads them: one immutable table for each publication date
- `parquet` is a table as a file, and the hash that vouches for its figures
- `large` asks tables that are stored by year, where they lie
- `differences` is what one vintage changed against another
- `verify` reads everything again, and names what is not what it was
- `files` writes a file whole, once or over another, in a folder or at an address
- `passed` hands a value to other processes, whose tables they share
- `yaml_fields` reads what users write, field by field
"""
