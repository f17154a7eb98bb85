"""The publishers' things: fetched (I/O), and parsed (pure) from bytes to tidy tables, checked.

- `publishers` lists all sources: where each is, which tables it makes, how it is fetched
- `download` asks a server, patiently and within its limits, and keeps what it sent
- `apart` calls what reads others' bytes in a process of its own, within bounds
- `keys` keeps the keys in the environment out of what is kept, shown or started
- `workbooks` opens workbooks, and zips of them, without trusting what they declare
- `census_files` reads country.xlsx and ctyseasonal.xlsx
- `bulk` reads Census's monthly files of all trade
- `census_api` asks the Census international trade API, and reads its replies
- `bea_workbook` finds and reads BEA's country workbook
- `bea_national` reads BEA's national workbook
- `bea_api` asks BEA's data API, and reads its replies
- `trade_online` reads a pair of reports of USA Trade Online
- `ft900` reads the exhibits of an FT-900 release archive
- `schedule` reads the days of the releases to come
- `continuity` holds a table against the vintages before and after it
- `alike` holds it against another table with the same figures
- `ingest` recognises a file, parses it, holds it against what is known, and keeps it
- `update` fetches what is new, keeps it, and tells what it changed
"""
