"""What was out with a release, and every number of a partner as a fact that sentences are bound to.

- `selection`: which vintage of each table, and how it stands to the day.
- `universe`: who is ranked in goods and services.
- `snapshot`: the tables of a release, cut and summed once for all partners.
- `fact`: what a fact is, and facts by id.
- `question`: the language in which one fact is asked for, of any period.
- `answers`: the answer, straight from the tables.
- `goods`: the facts on goods.
- `place`: shares, ranks, and the part in the change of the U.S. deficit.
- `records`: records and streaks in goods.
- `total`: the facts on services, and on goods and services together.
- `tariffs`: the facts on duties, what rate they come to, and what moved it.
- `turning`: since when: turning points, and a test for a change of slope.
- `commodities`: the facts by commodity, and what each contributed.
- `news`: which fact leads, by one rule.
- `official`: seasonally adjusted months, and ten years, from other official tables.
- `brief`: the brief of one partner: all of these.
- `verbs`: how a value reads in a sentence.
- `sentences`: texts whose numbers are facts.
- `charts`: the figures of a brief.
- `codebook`: tables, facts and verbs, told by the code.
"""
