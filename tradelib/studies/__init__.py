"""What the other notebooks study, each on top of a brief: facts, tables and charts.

- `study`: the brief a study starts from, and its facts beside those of the brief
- `league`: all partners ranked, and who reduced the deficit
- `changes`: what changed between two briefs, split exactly into its causes
- `first_print`: how far first prints moved by annual revisions, bands that hold, and news or noise
- `revisions`: one series in every vintage, and how far first prints are revised
- `seasonal`: a seasonal adjustment of our own beside the official one
- `claims`: what a published article claims, read from its file
- `printed`: how a printed figure is read, and the rule by which it is judged
- `guess`: a claim's words -> a first guess at its fact, for `tradelib claim`
- `ledger`: those claims judged on their day, in each later vintage and now
- `tariffs`: what is paid on imports, on what, and how much of a change is rates, mix, price or volume
- `library`: all published claims together: how much stands
- `detail`: which commodities moved trade, asked of the finest tables
"""
