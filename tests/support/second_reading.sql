-- The facts of a brief a second time, from the cells of the publishers' files, without tradelib.
-- Variables: v (day of the country table), m (statistical month), q (quarter out with it), d (day of release),
-- own (which goods of the release itself stand for its own: 'all' of the supplement, 'main', or ''), adjusted ('own' where
-- its Exhibit 19 is used), trade ('bea' or 'ft900'), exports, imports (days of the tables by chapter, or ''),
-- duties (day of the table of duties, or '') and parts (that of its parts, or ''). The table `asked` holds the partners.
-- Months are year * 12 + month - 1, quarters year * 4 + quarter - 1. Dollars are whole.

-- base: once for all releases ------------------------------------------------------------------------
CREATE MACRO key(name) AS regexp_replace(replace(lower(strip_accents(
    regexp_replace(regexp_replace(trim(name), '(\s*(\*+|\(\d\)|\(R\)))+$', ''), '^[Tt]he ', ''))), '&', ' and '),
    '[^a-z0-9]', '', 'g');
CREATE MACRO usd(cell, scale) AS CAST(round(TRY_CAST(CASE trim(cell) WHEN '(*)' THEN '0' ELSE cell END AS DOUBLE) * scale) AS BIGINT);
CREATE MACRO month_text(t) AS (t // 12) || '-' || lpad(CAST(t % 12 + 1 AS VARCHAR), 2, '0');
CREATE MACRO quarter_text(t) AS (t // 4) || 'Q' || (t % 4 + 1);
CREATE TABLE names AS
    SELECT DISTINCT key(name) AS k, code FROM (
        SELECT code, unnest([name, prose] || string_split(coalesce(aliases, ''), '|')) AS name FROM partners WHERE kind <> 'former')
    WHERE name <> '' AND name IS NOT NULL;
CREATE TABLE months AS SELECT unnest(['JAN','FEB','MAR','APR','MAY','JUN','JUL','AUG','SEP','OCT','NOV','DEC']) AS name,
    unnest(range(12)) AS n;
CREATE TABLE quarters AS SELECT unnest(['First','Second','Third','Fourth']) AS name, unnest(range(4)) AS n;

-- country.xlsx: one row a partner and year, IJAN..IDEC and EJAN..EDEC, $ million
CREATE TABLE goods AS
WITH heads AS (SELECT file, c, upper(trim(v)) AS name FROM cells WHERE file LIKE 'country_%' AND r = 1),
long AS (SELECT file, r, name, v FROM cells JOIN heads USING (file, c) WHERE r > 1 AND trim(v) <> ''),
ids AS (SELECT file, r, CAST(CAST(max(v) FILTER (name = 'YEAR') AS DOUBLE) AS INT) AS y,
        lpad(regexp_replace(trim(max(v) FILTER (name = 'CTY_CODE')), '\.0$', ''), 4, '0') AS partner
        FROM long GROUP BY ALL HAVING y IS NOT NULL),
wide AS (SELECT ids.file[9:18] AS vintage, partner, y * 12 + n AS m,
        max(usd(v, 1e6)) FILTER (long.name[1] = 'E') AS x, max(usd(v, 1e6)) FILTER (long.name[1] = 'I') AS i
        FROM long JOIN months ON long.name[2:] = months.name JOIN ids USING (file, r) GROUP BY ALL),
ends AS (SELECT vintage, max(m) AS last FROM wide WHERE partner = '0015' AND x > 0 GROUP BY ALL)
SELECT vintage, partner, m,
    CASE WHEN kind NOT IN ('group', 'world', 'product') OR x <> 0 THEN x END AS x,
    CASE WHEN kind NOT IN ('group', 'world', 'product') OR i <> 0 THEN i END AS i
FROM wide JOIN ends USING (vintage) JOIN partners ON partner = code WHERE m <= last AND partner <> '0004';

-- ctyseasonal.xlsx: dollars
CREATE TABLE seasonal AS
WITH heads AS (SELECT c, upper(trim(v)) AS name FROM cells WHERE file LIKE 'ctyseasonal%' AND r = 1),
long AS (SELECT r, name, v FROM cells JOIN heads USING (c) WHERE file LIKE 'ctyseasonal%' AND r > 1 AND trim(v) <> ''),
ids AS (SELECT r, CAST(max(v) FILTER (name = 'YEAR') AS INT) AS y, max(v) FILTER (name = 'CTY_CODE') AS partner
        FROM long GROUP BY ALL)
SELECT partner, y * 12 + n AS m, max(usd(v, 1)) FILTER (long.name[1] = 'E') AS x,
    max(usd(v, 1)) FILTER (long.name[1] = 'I') AS i FROM long
JOIN months ON long.name[2:] = months.name JOIN ids USING (r) GROUP BY ALL;

-- BEA's workbook: what a sheet holds in its third line, areas in the sixth; a year stands as its last quarter
CREATE TABLE quarterly AS
WITH book AS (SELECT sheet, r, c, v FROM cells WHERE file LIKE 'trad-geo%'),
kinds AS (SELECT sheet, lower(v) AS told FROM book WHERE r = 3 AND c = 1),
areas AS (SELECT sheet, c, code AS partner FROM book JOIN names ON key(v) = k WHERE r = 6 AND c > 1),
periods AS (SELECT sheet, r, regexp_extract(v, '^(\d{4})(?:\.0)? ?(\d?)', ['y', 'n']) AS p FROM book
            WHERE c = 1 AND regexp_matches(v, '^\d{4}(\.0)?( \d.*| \(R\))?\s*$')),
long AS (SELECT CASE p.n WHEN '' THEN 'bea years' ELSE 'bea' END AS source, partner, CAST(p.y AS INT) * 4 + CAST(CASE p.n WHEN '' THEN '4' ELSE p.n END AS INT) - 1 AS q,
        CASE WHEN told LIKE '%goods and services' THEN 'total' WHEN told LIKE '%goods' THEN 'goods' ELSE 'services' END AS item,
        split_part(told, ' ', 1) AS side, usd(v, 1e6) AS v
        FROM book JOIN kinds USING (sheet) JOIN areas USING (sheet, c) JOIN periods USING (sheet, r)),
-- Exhibits 20, 20a and 20b: three blocks below each other, quarters in the fifth line
exhibit AS (SELECT sheet, r, c, v FROM cells WHERE file LIKE 'exh20%'),
blocks AS (SELECT sheet, r, lower(trim(v)) AS side FROM exhibit WHERE c = 1 AND lower(trim(v)) IN ('balance', 'exports', 'imports')),
spans AS (SELECT sheet, c, CAST(regexp_extract(v, '\d{4}') AS INT) * 4 + n AS q FROM exhibit JOIN quarters ON starts_with(v, name || ' Quarter') WHERE r = 5),
labels AS (SELECT sheet, r, code AS partner FROM exhibit JOIN names ON key(v) = k WHERE c = 1),
printed AS (SELECT 'ft900', partner, q, CASE lower(sheet) WHEN '20' THEN 'total' WHEN '20a' THEN 'goods' ELSE 'services' END,
        (SELECT side FROM blocks WHERE blocks.sheet = e.sheet AND blocks.r < e.r ORDER BY r DESC LIMIT 1), usd(v, 1e6)
        FROM exhibit AS e JOIN spans USING (sheet, c) JOIN labels USING (sheet, r))
SELECT source, partner, q, item, max(v) FILTER (side = 'exports') AS x, max(v) FILTER (side = 'imports') AS i,
    max(v) FILTER (side = 'balance') AS b FROM (FROM long UNION ALL FROM printed) GROUP BY ALL;

-- the release's own goods: supplement 4 and 4a (of all), Exhibits 14 and 14a (of some); (-) is not known
CREATE TABLE own_goods AS
WITH annex AS (SELECT 'all' AS annex, CASE WHEN file LIKE 'exh4as%' THEN ' before' ELSE '' END AS past, r, c, v
    FROM cells WHERE file LIKE 'exh4s%' OR file LIKE 'exh4as%'),
main AS (SELECT 'main' AS annex, CASE WHEN file LIKE 'exh14a%' THEN ' before' ELSE '' END AS past, r, c, v
    FROM cells WHERE file LIKE 'exh14%'),
places AS (SELECT * FROM (VALUES ('all', 2, 'month', 'b'), ('all', 3, 'ytd', 'b'), ('all', 5, 'month', 'x'), ('all', 6, 'ytd', 'x'),
    ('all', 8, 'month', 'i'), ('all', 9, 'ytd', 'i'), ('main', 2, 'month', 'b'), ('main', 5, 'ytd', 'b'), ('main', 6, 'month', 'x'),
    ('main', 9, 'ytd', 'x'), ('main', 10, 'month', 'i'), ('main', 13, 'ytd', 'i')) AS t(annex, c, span, side)),
both_of AS (FROM annex UNION ALL FROM main),
labels AS (SELECT annex, past, r, CASE WHEN upper(v) IN ('TOTAL', 'TOTAL CENSUS BASIS') THEN '0015' ELSE code END AS partner
    FROM both_of LEFT JOIN names ON key(v) = k WHERE c = 1)
SELECT annex, span || past AS name, partner, max(usd(v, 1e6)) FILTER (side = 'x') AS x,
    max(usd(v, 1e6)) FILTER (side = 'i') AS i, max(usd(v, 1e6)) FILTER (side = 'b') AS b
FROM both_of JOIN places USING (annex, c) JOIN labels USING (annex, past, r) WHERE partner IS NOT NULL GROUP BY ALL;

-- Exhibit 19: seasonally adjusted, the month and the one before; a mark (R) may stand before a figure
CREATE TABLE own_seasonal AS
WITH e AS (SELECT r, c, v FROM cells WHERE file LIKE 'exh19%'),
spans AS (SELECT c, CAST(regexp_extract(v, '\d{4}') AS INT) * 12 + n AS m FROM e JOIN months ON upper(v[:3]) = name AND v NOT LIKE '%Quarter%' WHERE r = 5)
SELECT code AS partner, m, max(usd(v, 1e6)) FILTER (side = 'exports') AS x, max(usd(v, 1e6)) FILTER (side = 'imports') AS i,
    max(usd(v, 1e6)) FILTER (side = 'balance') AS b
FROM (SELECT code, m, e.v, (SELECT lower(trim(v)) FROM e AS head WHERE head.c = 1 AND head.r < e.r
        AND lower(trim(v)) IN ('balance', 'exports', 'imports') ORDER BY r DESC LIMIT 1) AS side
      FROM e JOIN spans ON e.c - spans.c BETWEEN 0 AND 1 JOIN (SELECT r, code FROM e JOIN names ON key(v) = k WHERE c = 1) USING (r)) GROUP BY ALL;

-- duties: by part, and of all goods, their sum
CREATE TABLE duty_parts AS
SELECT source, CASE WHEN who IN ('', '-', 'TOTAL FOR ALL COUNTRIES') THEN '0015' WHEN who LIKE 'USMCA%' THEN 'USMCA' ELSE coalesce(code, who) END AS partner,
    item, CAST(time[1:4] AS INT) * 12 + CAST(time[6:7] AS INT) - 1 AS m, usd, duty
FROM duties_by_part LEFT JOIN names ON key(who) = k;

-- release: what follows is worked out anew for each ---------------------------------------------------
CREATE OR REPLACE TEMP TABLE reading (partner VARCHAR, id VARCHAR, number DOUBLE, word VARCHAR);
CREATE OR REPLACE TEMP TABLE w AS
    SELECT * FROM (VALUES ('month', 0, 0), ('ytd', getvariable('m') % 12, 0), ('trailing', 11, 0),
        ('month before', 12, 12), ('ytd before', getvariable('m') % 12 + 12, 12), ('trailing before', 23, 12)) AS t(name, back, upto);
CREATE OR REPLACE TEMP TABLE membership AS
    SELECT "group" AS grp, code, count(*) OVER (PARTITION BY "group") AS n FROM groups
    WHERE coalesce(joined, '') <= getvariable('d') AND coalesce("left", '9999') >= getvariable('d')
    AND "group" IN (SELECT "group" FROM groups GROUP BY 1 HAVING NOT regexp_full_match("group", '\d+')
                    OR ("group" <> '0017' AND count(joined) + count("left") > 0));
-- groups whose members of a year's end are those of the day
CREATE OR REPLACE TEMP TABLE alike AS
    SELECT grp, y FROM (SELECT DISTINCT grp FROM membership), range(1985, 2027) AS t(y)
    WHERE NOT EXISTS (
        SELECT "group", code FROM groups AS g WHERE "group" = grp AND (
            (coalesce(joined, '') <= y || '-12-31' AND coalesce("left", '9999') >= y || '-12-31')
            <> (coalesce(joined, '') <= getvariable('d') AND coalesce("left", '9999') >= getvariable('d'))));
CREATE OR REPLACE TEMP TABLE g AS
WITH ended AS (SELECT code, CAST(last_year AS INT) AS y FROM partners WHERE kind = 'former' AND last_year IS NOT NULL),
rows_of AS (SELECT partner, m, x, i FROM goods LEFT JOIN ended ON partner = code  -- it goes on with zeros
    WHERE vintage = getvariable('v') AND m <= getvariable('m') AND (y IS NULL OR m // 12 <= y)),
there AS (SELECT DISTINCT partner FROM rows_of),
full_groups AS (SELECT grp FROM membership LEFT JOIN there ON code = partner GROUP BY grp HAVING count(partner) = count(*)),
sums AS (SELECT grp AS partner, m, CASE WHEN count(x) = any_value(n) THEN sum(x) END AS x,
        CASE WHEN count(i) = any_value(n) THEN sum(i) END AS i
        FROM rows_of JOIN membership ON partner = code WHERE grp IN (FROM full_groups) GROUP BY ALL)
SELECT * FROM rows_of WHERE partner NOT IN (SELECT grp FROM membership) UNION ALL SELECT * FROM sums
UNION ALL SELECT partner, m, CASE WHEN kept THEN x END, CASE WHEN kept THEN i END FROM (  -- not all members have rows
    SELECT *, EXISTS (FROM alike WHERE grp = partner AND y = m // 12) AS kept FROM rows_of
    WHERE partner IN (SELECT grp FROM membership) AND partner NOT IN (FROM full_groups));
CREATE OR REPLACE TEMP TABLE country_sums AS
    SELECT name, partner, CASE WHEN count(x) = back - upto + 1 THEN sum(x) END AS x,
        CASE WHEN count(i) = back - upto + 1 THEN sum(i) END AS i,
        CASE WHEN count(x - i) = back - upto + 1 THEN sum(x - i) END AS b
    FROM g JOIN w ON m BETWEEN getvariable('m') - back AND getvariable('m') - upto GROUP BY name, back, upto, partner;
CREATE OR REPLACE TEMP TABLE own_sums AS
WITH rows_of AS (SELECT name, partner, x, i, b FROM own_goods WHERE annex = getvariable('own')),
sums AS (SELECT name, grp AS partner, CASE WHEN count(x) = any_value(n) THEN sum(x) END AS x,
        CASE WHEN count(i) = any_value(n) THEN sum(i) END AS i, CASE WHEN count(b) = any_value(n) THEN sum(b) END AS b
        FROM rows_of JOIN membership ON partner = code WHERE getvariable('own') = 'all' OR grp NOT IN (SELECT partner FROM rows_of) GROUP BY ALL)
SELECT * FROM (SELECT * FROM rows_of WHERE getvariable('own') = 'main' OR partner NOT IN (SELECT grp FROM membership)
    UNION ALL FROM sums) WHERE x + i + b IS NOT NULL;
-- windows that reach beyond the first month of trade with a partner, or the last under a code that is used no more
CREATE OR REPLACE TEMP TABLE beyond AS
WITH traded AS (SELECT partner, m FROM g WHERE coalesce(x, 0) + coalesce(i, 0) > 0),
ends AS (SELECT partner, min(m) AS first, max(m) AS last FROM traded GROUP BY partner),
life AS (SELECT partner, first, kind = 'former' AND CAST(last_year AS INT) = getvariable('m') // 12 AND last < getvariable('m')
        AND (SELECT count(*) FROM traded AS t WHERE t.partner = ends.partner AND t.m > last - 3) = 3 AS over
    FROM ends JOIN partners ON partner = code)
SELECT partner, name FROM life, w WHERE (name LIKE '%before' OR name = 'trailing') AND getvariable('m') - back < first
    OR name NOT LIKE '%before' AND coalesce(over, FALSE);
-- each partner's own windows: as released where all four are, else of the country table
CREATE OR REPLACE TEMP TABLE s AS
WITH own AS (SELECT partner FROM own_sums GROUP BY 1 HAVING count(*) = 4)
SELECT 'own' AS source, * FROM own_sums WHERE partner IN (FROM own)
UNION ALL SELECT 'country', * FROM country_sums
    WHERE (partner NOT IN (FROM own) OR name LIKE 'trailing%') AND (partner, name) NOT IN (FROM beyond);
CREATE OR REPLACE TEMP TABLE ranked AS
    SELECT r.name, partner, x, i, b, x + i AS t, kind IN ('country', 'former') AND NOT (kind = 'former' AND NOT (
        CAST(first_year AS INT) <= y AND CAST(coalesce(last_year, '0') AS INT) >= y)) AS single
    FROM (SELECT *, getvariable('m') // 12 - CAST(name LIKE '%before' AS INT) AS y
          FROM (FROM own_sums WHERE getvariable('own') = 'all' UNION ALL FROM country_sums WHERE getvariable('own') <> 'all')) AS r
    JOIN partners ON partner = code;
CREATE OR REPLACE TEMP TABLE sides AS
    SELECT split_part(n.name, ' ', 1) AS span, n.partner, n.source, side, t.now, t.before
    FROM (SELECT DISTINCT partner, name, source FROM s WHERE name NOT LIKE '%before') AS n
    LEFT JOIN s AS a USING (partner, name) LEFT JOIN s AS b ON b.partner = n.partner AND b.name = n.name || ' before',
    LATERAL (VALUES ('exports', a.x, b.x), ('imports', a.i, b.i), ('balance', a.b, b.b), ('trade', a.x + a.i, b.x + b.i)) AS t(side, now, before);

INSERT INTO reading SELECT partner, 'goods.' || side || '.' || span, now, NULL FROM sides WHERE side <> 'trade' AND span <> 'trailing';
INSERT INTO reading SELECT partner, 'goods.' || side || '.' || span || '.change_usd', now - before, NULL FROM sides WHERE side <> 'trade' AND span <> 'trailing';
INSERT INTO reading SELECT partner, 'goods.' || side || '.' || span || '.change_pct', CASE WHEN before > 0 THEN 100.0 * (now - before) / before END, NULL
    FROM sides WHERE side IN ('exports', 'imports') AND span <> 'trailing';
INSERT INTO reading SELECT partner, 'goods.balance.trailing12', now, NULL FROM sides WHERE side = 'balance' AND span = 'trailing';
INSERT INTO reading SELECT partner, 'goods.balance.trailing12.change_usd', now - before, NULL FROM sides WHERE side = 'balance' AND span = 'trailing';
INSERT INTO reading SELECT partner, 'goods.deficit.ytd.reduction_pct', CASE WHEN now < 0 AND before < 0 THEN 100.0 * (1 - now / before) END, NULL
    FROM sides WHERE side = 'balance' AND span = 'ytd';
CREATE OR REPLACE TEMP TABLE parts AS
    SELECT partner, 'goods' AS of, 'goods ' || side AS part, CASE side WHEN 'exports' THEN now - before ELSE before - now END AS usd
    FROM sides WHERE span = 'ytd' AND side IN ('exports', 'imports');

-- shares, and the part in the change of the deficit
CREATE OR REPLACE TEMP TABLE world AS
    SELECT source, side, span, now, before FROM sides WHERE partner = '0015'
    UNION ALL SELECT 'country', side, span, now, before FROM (
        SELECT split_part(a.name, ' ', 1) AS span, a.x, a.i, a.b, b.x AS bx, b.i AS bi, b.b AS bb FROM country_sums AS a
        LEFT JOIN country_sums AS b ON b.partner = a.partner AND b.name = a.name || ' before' WHERE a.partner = '0015' AND a.name NOT LIKE '%before'),
        LATERAL (VALUES ('exports', x, bx), ('imports', i, bi), ('balance', b, bb), ('trade', x + i, bx + bi)) AS t(side, now, before)
    WHERE NOT EXISTS (FROM sides WHERE partner = '0015' AND source = 'country' AND span <> 'trailing') AND span <> 'trailing';
INSERT INTO reading SELECT partner, 'goods.' || CASE side WHEN 'balance' THEN 'deficit' ELSE side END || '.' || span || '.share_pct',
    CASE WHEN of.now <> 0 AND 100.0 * mine.now / of.now >= 0 THEN abs(100.0 * mine.now / of.now) END, NULL
    FROM sides AS mine JOIN world AS of USING (source, side, span) WHERE span <> 'trailing';
CREATE OR REPLACE TEMP TABLE added AS
    SELECT split_part(a.name, ' ', 1) AS span, a.partner, b.b - a.b AS usd, a.single FROM ranked AS a
    JOIN ranked AS b ON b.partner = a.partner AND b.name = a.name || ' before' WHERE a.name IN ('month', 'ytd');
CREATE OR REPLACE TEMP TABLE part AS
    SELECT mine.partner, span, mine.before - mine.now AS usd, of.before - of.now AS change,
        abs(of.before - of.now) >= 0.01 * abs(of.before) AND abs(of.before - of.now) >= 0.2 * (  -- no small rest
            SELECT sum(abs(usd)) FROM added WHERE added.single AND added.span = mine.span) AS moved
    FROM sides AS mine JOIN world AS of USING (source, side, span) WHERE side = 'balance' AND span <> 'trailing';
INSERT INTO reading SELECT partner, 'goods.deficit.' || span || '.contribution_pct', CASE WHEN moved AND partner <> '0015' THEN 100.0 * usd / change END, NULL FROM part;
INSERT INTO reading SELECT part.partner, 'goods.deficit.' || span || '.contribution_pct#' || t.field, t.v, NULL
    FROM part JOIN partners ON part.partner = code, LATERAL (
        SELECT count(*) FILTER (a.usd * sign(part.usd) > abs(part.usd)) + 1 AS place, count(a.usd) AS n FROM added AS a WHERE a.single AND a.span = part.span) AS c,
        LATERAL (VALUES ('place', c.place), ('n', c.n)) AS t(field, v)
    WHERE moved AND part.usd <> 0 AND kind NOT IN ('group', 'world', 'other', 'product');

-- with whom of a group's members, or of all countries, it changed most
CREATE OR REPLACE TEMP TABLE whose AS
    SELECT "group" AS grp, code, usd FROM groups LEFT JOIN added ON partner = code AND single AND span = 'ytd'
    WHERE coalesce(joined, '') <= getvariable('d') AND coalesce("left", '9999') >= getvariable('d')
    UNION ALL SELECT '0015', partner, usd FROM added WHERE single AND span = 'ytd' AND usd IS NOT NULL;
INSERT INTO reading SELECT grp, 'goods.balance.ytd.by_country#' || code, -usd, NULL FROM (
    SELECT *, row_number() OVER (PARTITION BY grp ORDER BY abs(usd) DESC) AS nth, count(usd) OVER (PARTITION BY grp) = count(*) OVER (PARTITION BY grp) AS whole
    FROM whose) WHERE nth <= 4 AND usd <> 0 AND whole;
INSERT INTO reading SELECT grp, 'goods.balance.ytd.by_country#first_usd', CASE WHEN count(usd) = count(*) AND min(b) < 0 THEN min(b) END, NULL
    FROM whose LEFT JOIN ranked ON partner = code AND name = 'ytd' GROUP BY grp;

-- ranks
CREATE OR REPLACE TEMP TABLE placed AS
    SELECT name, measure, partner, rank() OVER (PARTITION BY name, measure ORDER BY usd DESC) AS place, count(*) OVER (PARTITION BY name, measure) AS n
    FROM ranked, LATERAL (VALUES ('trade', t), ('exports', x), ('imports', i)) AS v(measure, usd) WHERE single AND usd > 0 AND name NOT LIKE 'trailing%';
INSERT INTO reading SELECT partner, 'goods.' || measure || '.' || split_part(name, ' ', 1) || '.rank' || CASE WHEN name LIKE '%before' THEN '.previous_year' ELSE '' END || t.field, t.v, NULL
    FROM placed, LATERAL (VALUES ('', CASE WHEN (partner, name) NOT IN (FROM beyond) THEN place END), ('#n', n)) AS t(field, v);
CREATE OR REPLACE TEMP TABLE deficits AS
    SELECT name, partner, b, rank() OVER (PARTITION BY name ORDER BY b) AS place, count(*) OVER (PARTITION BY name) AS n, min(b) OVER (PARTITION BY name) AS largest
    FROM ranked WHERE single AND b IS NOT NULL AND name IN ('ytd', 'ytd before');
INSERT INTO reading SELECT partner, 'goods.deficit.rank' || CASE name WHEN 'ytd' THEN '' ELSE '.previous_year' END || t.field, t.v, NULL
    FROM deficits, LATERAL (VALUES ('', CASE WHEN b < 0 AND (partner, name) NOT IN (FROM beyond) THEN place END), ('#n', n), ('#first_usd', largest)) AS t(field, v);
INSERT INTO reading SELECT mine.partner, 'world.goods.deficit.ytd.change_' || t.field, t.v, NULL
    FROM (SELECT code AS partner, CASE WHEN code IN (SELECT partner FROM s WHERE source = 'own') THEN 'own' ELSE 'country' END AS source FROM asked) AS mine
        JOIN world AS of USING (source),
        LATERAL (VALUES ('usd', of.before - of.now), ('pct', CASE WHEN of.before < 0 THEN 100.0 * (of.before - of.now) / -of.before END)) AS t(field, v)
    WHERE of.side = 'balance' AND of.span = 'ytd';

-- records: each history begins after its last gap; k counts back from the last figure; that and a year earlier are as in `sides`
CREATE OR REPLACE TEMP TABLE h AS
WITH grid AS (SELECT partner, t FROM (SELECT DISTINCT partner FROM g WHERE partner IN (FROM asked)), range((SELECT min(m) FROM g), getvariable('m') + 1) AS r(t)),
began AS (SELECT partner, min(m) AS first FROM g WHERE coalesce(x, 0) + coalesce(i, 0) > 0 GROUP BY partner),
monthly AS (SELECT grid.partner, t, side, v FROM grid LEFT JOIN began USING (partner)
        LEFT JOIN g ON g.partner = grid.partner AND g.m = t AND (first IS NULL OR t >= first),
    LATERAL (VALUES ('exports', x), ('imports', i), ('balance', x - i)) AS u(side, v)),
yearly AS (SELECT partner, t // 12 AS t, side, CASE WHEN count(v) = getvariable('m') % 12 + 1 THEN sum(v) END AS v
    FROM monthly WHERE t % 12 <= getvariable('m') % 12 GROUP BY ALL),
every AS (SELECT 'month' AS span, getvariable('m') - t AS k, * FROM monthly UNION ALL SELECT 'ytd', getvariable('m') // 12 - t, * FROM yearly),
told AS (SELECT e.span, e.k, e.partner, e.t, e.side,
        CASE WHEN e.k = 0 THEN n.now WHEN e.k = CASE e.span WHEN 'month' THEN 12 ELSE 1 END AND n.now IS NOT NULL THEN n.before ELSE e.v END AS v
    FROM every AS e LEFT JOIN sides AS n USING (partner, side, span))
SELECT span, partner, side, k, t, v, CASE WHEN side = 'balance' AND first_value(v) OVER p < 0 THEN -v ELSE v END AS size, count(*) OVER (PARTITION BY span, partner, side) AS n
FROM (SELECT *, min(k) FILTER (v IS NULL) OVER (PARTITION BY span, partner, side) AS gap FROM told) WHERE gap IS NULL OR k < gap
WINDOW p AS (PARTITION BY span, partner, side ORDER BY k);
CREATE OR REPLACE TEMP TABLE stands AS
WITH both_of AS (SELECT 'any' AS among, CASE span WHEN 'month' THEN 36 ELSE 3 END AS least, span, partner, side, k, t, v, size, n FROM h
    UNION ALL SELECT 'same', 5, span, partner, side, k // 12, t, v, size, (n - 1) // 12 + 1 FROM h WHERE span = 'month' AND k % 12 = 0),
last AS (SELECT among, span, partner, side, v, size, n, least FROM both_of WHERE k = 0 AND v <> 0 AND n >= least + 2),
rivals AS (SELECT among, span, partner, side, last.v, last.n, last.least,
        min(k) FILTER (k > 0 AND o.size >= last.size) AS large, min(k) FILTER (k > 0 AND o.size <= last.size) AS small,
        min(k) FILTER (k > 0 AND o.size > 0) AS first, bool_or(k = 1 AND o.size <= 0 AND side = 'balance') AS turned
    FROM last JOIN both_of AS o USING (among, span, partner, side) GROUP BY ALL),
cases AS (SELECT *, CASE WHEN turned THEN CASE WHEN coalesce(first, n - 1) >= least THEN 'first' WHEN coalesce(large, n - 1) >= least THEN 'large' END
    ELSE CASE WHEN coalesce(large, n - 1) >= least THEN 'large' WHEN coalesce(small, n - 1) >= least THEN 'small' END END AS what FROM rivals),
chosen AS (SELECT DISTINCT ON (span, partner, side) *, CASE what WHEN 'first' THEN first WHEN 'large' THEN large ELSE small END AS rival
    FROM cases WHERE what IS NOT NULL AND NOT (among = 'same' AND what = 'first') ORDER BY span, partner, side, among),
ordered AS (SELECT c.among, span, partner, side, o.k, c.n, c.least, CASE what WHEN 'first' THEN sign(o.size) WHEN 'large' THEN o.size ELSE -o.size END AS o
    FROM chosen AS c JOIN both_of AS o USING (among, span, partner, side) WHERE o.k > 0),
events AS (SELECT span, partner, side, count(*) AS among_n, count(*) FILTER (o > most) AS often FROM (
        SELECT *, max(o) OVER (PARTITION BY span, partner, side ORDER BY k ROWS BETWEEN 1 FOLLOWING AND least FOLLOWING) AS most FROM ordered)
    WHERE k <= least(120, n - 1 - least) GROUP BY ALL)
SELECT c.*, e.among_n, e.often, r.v AS rival_usd, r.t AS rival_t FROM chosen AS c JOIN events AS e USING (span, partner, side)
LEFT JOIN both_of AS r ON r.among = c.among AND r.span = c.span AND r.partner = c.partner AND r.side = c.side AND r.k = c.rival;
INSERT INTO reading SELECT partner, 'goods.' || side || '.' || span || '.superlative#' || f.field, f.v, f.word
    FROM stands, LATERAL (VALUES ('reach', coalesce(rival, n - 1), NULL), ('often', often, NULL), ('among', among_n, NULL), ('rival_usd', rival_usd, NULL),
        ('rival', NULL, CASE span WHEN 'month' THEN month_text(rival_t) ELSE CAST(rival_t AS VARCHAR) END),
        ('word', NULL, CASE WHEN what = 'first' THEN 'first' WHEN side = 'balance' THEN CASE what WHEN 'large' THEN 'largest' ELSE 'smallest' END
            ELSE CASE what WHEN 'large' THEN 'highest' ELSE 'lowest' END END)) AS f(field, v, word);
INSERT INTO reading SELECT partner, 'goods.' || side || '.' || span || '.superlative#word', NULL, NULL FROM h WHERE k = 0
    AND NOT EXISTS (FROM stands WHERE stands.partner = h.partner AND stands.side = h.side AND stands.span = h.span);
CREATE OR REPLACE TEMP TABLE best AS
    SELECT DISTINCT ON (o.span, o.partner, o.side) o.span, o.partner, o.side, o.v, o.size, o.t, o.n, l.size AS now, l.v AS told
    FROM h AS o JOIN h AS l ON l.k = 0 AND l.span = o.span AND l.partner = o.partner AND l.side = o.side
    WHERE o.k > 0 ORDER BY o.span, o.partner, o.side, o.size DESC, o.k;
INSERT INTO reading SELECT partner, 'goods.' || side || '.' || span || '.earlier_record' || f.field, f.v, f.word
    FROM best, LATERAL (VALUES ('', CASE WHEN size > 0 THEN v END, NULL), ('#short_usd', CASE WHEN size > 0 AND size >= now THEN size - now END, NULL),
        ('#period', NULL, CASE WHEN size > 0 THEN CASE span WHEN 'month' THEN month_text(t) ELSE CAST(t AS VARCHAR) END END),
        ('#near', CAST(size > 0 AND n > CASE span WHEN 'month' THEN 36 ELSE 3 END AND size > now AND size - now <= 0.01 * size AS INT), NULL)) AS f(field, v, word);
CREATE OR REPLACE TEMP TABLE ways AS
    SELECT a.span, a.partner, a.side, a.k, sign(a.v - b.v) AS way FROM h AS a JOIN h AS b
    ON b.span = a.span AND b.partner = a.partner AND b.side = a.side AND b.k = a.k + CASE a.span WHEN 'month' THEN 12 ELSE 1 END;
INSERT INTO reading SELECT a.partner, 'goods.' || a.side || '.' || a.span || '.streak', abs(any_value(l.way)) * coalesce(min(a.k) FILTER (a.way <> l.way), count(*)), NULL
    FROM ways AS a JOIN ways AS l ON l.k = 0 AND l.span = a.span AND l.partner = a.partner AND l.side = a.side GROUP BY a.span, a.partner, a.side;
CREATE OR REPLACE TEMP TABLE top AS
    SELECT DISTINCT ON (partner) partner, k, t, v FROM h WHERE side = 'exports' AND span = 'month' ORDER BY partner, v DESC, k;
INSERT INTO reading SELECT partner, f.* FROM top, LATERAL (VALUES ('goods.exports.record_month', NULL, CASE WHEN v > 0 THEN month_text(t) END),
    ('goods.exports.record_month#highest_usd', CASE WHEN v > 0 THEN v END, NULL),
    ('goods.exports.month.is_record', CASE WHEN v > 0 THEN CAST(k = 0 AS INT) END, NULL)) AS f(id, v, word);

-- seasonally adjusted
CREATE OR REPLACE TEMP TABLE adjusted AS
WITH mine AS (SELECT 'own' AS source, partner, m, x, i, b FROM own_seasonal WHERE getvariable('adjusted') = 'own'
    UNION ALL SELECT 'long', partner, m, x, i, x - i FROM seasonal WHERE m <= getvariable('m')),
spans AS (SELECT * FROM (VALUES ('month', 1, 0), ('three_months', 3, 0), ('month before', 1, 1), ('three_months before', 3, 3)) AS t(name, n, back))
SELECT source, name, partner, side, CASE WHEN count(v) = n THEN round(avg(v)) END AS v
FROM mine JOIN spans ON m BETWEEN getvariable('m') - back - n + 1 AND getvariable('m') - back, LATERAL (VALUES ('exports', x), ('imports', i), ('balance', b)) AS t(side, v)
WHERE source = CASE WHEN name LIKE 'month%' AND partner IN (SELECT partner FROM mine WHERE source = 'own') THEN 'own' ELSE 'long' END
GROUP BY source, name, n, partner, side;
INSERT INTO reading SELECT a.partner, 'goods.' || a.side || '.sa.' || a.name || f.field, f.v, NULL FROM adjusted AS a
    LEFT JOIN adjusted AS b ON b.partner = a.partner AND b.side = a.side AND b.source = a.source AND b.name = a.name || ' before',
    LATERAL (VALUES ('', a.v), (CASE a.side WHEN 'balance' THEN '_change_usd' ELSE '_change_pct' END,
        CASE a.side WHEN 'balance' THEN a.v - b.v ELSE 100.0 * (a.v - b.v) / b.v END)) AS f(field, v)
    WHERE a.name NOT LIKE '%before' AND a.partner IN (SELECT code FROM partners WHERE kind <> 'group');

-- goods and services: quarters of the year, as BEA has them or as that day's Exhibit 20 printed them; of a whole year BEA's own
-- a group is the sum of its members where the table has them all
CREATE OR REPLACE TEMP TABLE qfull AS
    SELECT source, grp FROM membership JOIN (SELECT DISTINCT source, partner FROM quarterly WHERE q <= getvariable('q')) ON partner = code
    GROUP BY source, grp, n HAVING count(*) = n;
CREATE OR REPLACE TEMP TABLE qq AS
    SELECT source, partner, item, q, CASE WHEN kept THEN x END AS x, CASE WHEN kept THEN i END AS i, CASE WHEN kept THEN b END AS b
    FROM (SELECT *, partner NOT IN (SELECT grp FROM membership) OR EXISTS (FROM alike WHERE grp = partner AND y = q // 4) AS kept FROM quarterly)
    WHERE q <= getvariable('q') AND (source, partner) NOT IN (SELECT (source, grp) FROM qfull)
    UNION ALL SELECT source, grp, item, q, CASE WHEN count(x) = n THEN sum(x) END, CASE WHEN count(i) = n THEN sum(i) END, CASE WHEN count(b) = n THEN sum(b) END
    FROM quarterly JOIN membership ON partner = code JOIN qfull USING (source, grp) WHERE q <= getvariable('q') GROUP BY source, grp, n, item, q;
CREATE OR REPLACE TEMP TABLE qs AS
    SELECT partner, item, before, CASE WHEN count(x) = n THEN sum(x) END AS x, CASE WHEN count(i) = n THEN sum(i) END AS i, CASE WHEN count(b) = n THEN sum(b) END AS b
    FROM qq, (SELECT unnest([0, 1]) AS before, CASE WHEN whole THEN 1 ELSE getvariable('q') % 4 + 1 END AS n, CASE WHEN whole THEN 'bea years' ELSE getvariable('trade') END AS used
        FROM (SELECT getvariable('trade') = 'bea' AND getvariable('q') % 4 = 3 AS whole)) AS t
    WHERE source = used AND q BETWEEN getvariable('q') - 4 * before - n + 1 AND getvariable('q') - 4 * before GROUP BY partner, item, before, n;
CREATE OR REPLACE TEMP TABLE qsides AS
    SELECT partner, item, t.* FROM (FROM qs WHERE before = 0) AS a FULL JOIN (FROM qs WHERE before = 1) AS b USING (partner, item),
    LATERAL (VALUES ('exports', a.x, b.x), ('imports', a.i, b.i), ('balance', a.b, b.b)) AS t(side, now, before);
INSERT INTO reading SELECT partner, item || '.' || side || '.ytd' || f.field, f.v, NULL FROM qsides, LATERAL (VALUES ('', now), ('.change_usd', now - before)) AS f(field, v) WHERE item <> 'goods';
INSERT INTO reading SELECT partner, 'total.deficit.ytd.reduction_pct', CASE WHEN now < 0 AND before < 0 THEN 100.0 * (1 - now / before) END, NULL FROM qsides WHERE item = 'total' AND side = 'balance';
CREATE OR REPLACE TEMP TABLE not_whole AS
    SELECT DISTINCT t.partner FROM qs AS t JOIN qs AS a ON a.partner = t.partner AND a.before = t.before AND a.item = 'goods'
    JOIN qs AS b ON b.partner = t.partner AND b.before = t.before AND b.item = 'services'
    WHERE t.item = 'total' AND abs(t.b - a.b - b.b) > greatest(10e6, 0.001 * (t.x + t.i));
INSERT INTO parts SELECT partner, 'total', item || ' ' || side, CASE side WHEN 'exports' THEN now - before ELSE before - now END
    FROM qsides WHERE item <> 'total' AND side <> 'balance' AND partner NOT IN (FROM not_whole);
INSERT INTO reading SELECT partner, 'total.balance.contribution.' || replace(part, ' ', '_'), usd, NULL FROM parts WHERE of = 'total';
INSERT INTO reading SELECT partner, 'total.exports_led#' || side || '_usd', sum(usd), NULL FROM (SELECT *, split_part(part, ' ', 2) AS side FROM parts WHERE of = 'total') GROUP BY partner, side HAVING count(usd) = 2;
INSERT INTO reading SELECT partner, 'total.exports_led', CASE WHEN change <> 0 THEN CAST(change > 0 AND rose AND x > abs(i) AS INT) END, NULL FROM (
    SELECT partner, sum(usd) AS change, bool_and(usd > 0) FILTER (part LIKE '%exports') AS rose, sum(usd) FILTER (part LIKE '%exports') AS x, sum(usd) FILTER (part LIKE '%imports') AS i
    FROM parts WHERE of = 'total' GROUP BY partner HAVING count(usd) = 4);
-- what moved a balance: all parts, and those that did most of it
CREATE OR REPLACE TEMP TABLE moved AS
    SELECT p.*, rank() OVER (PARTITION BY partner, of, p.usd * c.change > 0 ORDER BY abs(usd) DESC) AS place, p.usd * c.change > 0 AS helps,
        sum(abs(usd)) OVER (PARTITION BY partner, of, p.usd * c.change > 0) AS helped, max(abs(usd)) OVER (PARTITION BY partner, of, p.usd * c.change > 0) AS most
    FROM parts AS p JOIN (SELECT partner, of, sum(usd) AS change FROM parts GROUP BY ALL HAVING count(usd) = CASE of WHEN 'goods' THEN 2 ELSE 4 END) AS c USING (partner, of) WHERE usd <> 0;
INSERT INTO reading SELECT partner, of || '.balance.drivers#' || part, usd, NULL FROM moved;
CREATE OR REPLACE TEMP TABLE little AS  -- nothing made a balance that hardly changed
    SELECT partner, of FROM (SELECT partner, 'goods' AS of, now, before FROM sides WHERE side = 'balance' AND span = 'ytd'
        UNION ALL SELECT partner, 'total', now, before FROM qsides WHERE item = 'total' AND side = 'balance')
    WHERE now * before > 0 AND abs(100.0 * (now - before) / before) < 0.05;
INSERT INTO reading SELECT partner, of || '.balance.main_drivers#' || part, usd, NULL FROM moved
    WHERE (partner, of) NOT IN (FROM little) AND helps AND place <= CASE WHEN most >= 0.6 * helped THEN 1 ELSE 2 END;
INSERT INTO reading SELECT partner, 'services.first_quarter', NULL, quarter_text(min(q)) FROM (FROM quarterly UNION ALL SELECT source, partner, q, item, x, i, b FROM qq)
    WHERE source = 'bea' AND item = 'services' AND q <= getvariable('q') AND coalesce(x, i, b) IS NOT NULL GROUP BY partner;
-- who is ranked: the list of Exhibit 20 of the day, or the nearest that was seen
CREATE OR REPLACE TEMP TABLE listed AS
WITH gaps AS (SELECT universe, greatest(CAST(first_seen AS DATE) - CAST(getvariable('d') AS DATE), CAST(getvariable('d') AS DATE) - CAST(last_seen AS DATE), 0) AS gap FROM universes GROUP BY ALL)
SELECT code FROM universes WHERE universe = (SELECT universe FROM gaps ORDER BY gap, universe LIMIT 1);
CREATE OR REPLACE TEMP TABLE qranked AS
    SELECT partner, now, before, rank() OVER (ORDER BY now NULLS LAST) AS place, rank() OVER (ORDER BY before NULLS LAST) AS past, count(now) OVER () AS n FROM qsides
    WHERE item = 'total' AND side = 'balance' AND partner IN (FROM listed);
INSERT INTO reading SELECT partner, f.* FROM qranked, LATERAL (VALUES ('total.deficit.rank', CASE WHEN now < 0 THEN place END, NULL), ('total.deficit.rank#n', n, NULL),
    ('total.deficit.rank.previous_year#n', n, NULL), ('total.deficit.larger#n', n, NULL),
    ('total.deficit.rank.previous_year', CASE WHEN now < 0 AND before < 0 THEN past END, NULL)) AS f(id, v, word);
INSERT INTO reading SELECT a.partner, 'total.deficit.larger#' || b.partner, b.now, NULL FROM qranked AS a JOIN qranked AS b ON b.place < a.place WHERE a.now < 0;
INSERT INTO reading SELECT '*', 'total.reducers#n', count(now), NULL FROM qranked;
INSERT INTO reading SELECT '*', 'total.reducers#' || partner, CASE WHEN now < 0 THEN 100.0 * (1 - now / before) END, NULL FROM qranked WHERE before < 0 AND now > before;
-- the balance over four quarters, its extremes in ten years
CREATE OR REPLACE TEMP TABLE four AS
    SELECT * FROM (SELECT partner, q, sum(b) OVER p AS b, count(x + i + b) OVER p AS n FROM qq WHERE source = 'bea' AND item = 'total'
        WINDOW p AS (PARTITION BY partner ORDER BY q RANGE BETWEEN 3 PRECEDING AND CURRENT ROW)) WHERE n = 4;
CREATE OR REPLACE TEMP TABLE four_told AS
    SELECT partner, q, coalesce(y.b, four.b) AS b FROM four FULL JOIN (FROM qq WHERE source = 'bea years' AND item = 'total') AS y USING (partner, q);
INSERT INTO reading SELECT a.partner, 'total.balance.trailing4' || f.field, f.v, NULL FROM four_told AS a LEFT JOIN four_told AS b ON b.partner = a.partner AND b.q = a.q - 4,
    LATERAL (VALUES ('', a.b), ('.change_usd', a.b - b.b)) AS f(field, v) WHERE a.q = getvariable('q');
CREATE OR REPLACE TEMP TABLE ends AS
    SELECT *, row_number() OVER (PARTITION BY partner ORDER BY b DESC, q DESC) AS high, row_number() OVER (PARTITION BY partner ORDER BY b, q DESC) AS low, arg_max(b, q) OVER (PARTITION BY partner) AS now
    FROM four WHERE q > getvariable('q') - 40 QUALIFY max(q) OVER (PARTITION BY partner) = getvariable('q') AND count(*) OVER (PARTITION BY partner) > 1;
INSERT INTO reading SELECT partner, 'total.trend.' || end_of || f.field, f.v, f.word FROM ends, LATERAL (VALUES ('peak', high), ('trough', low)) AS e(end_of, place),
    LATERAL (VALUES ('', NULL, quarter_text(q)), ('#usd', b, NULL), ('#distance_usd', abs(now - b), NULL)) AS f(field, v, word) WHERE place = 1;

-- chapters: no row is no trade; a group is the sum of its members where the table has them all
CREATE OR REPLACE TEMP TABLE chapters_of AS
WITH mine AS (FROM chapters WHERE partner NOT IN (SELECT code FROM partners WHERE kind = 'group') AND m // 12 >= getvariable('m') // 12 - 1 AND m <= getvariable('m')
    AND source = CASE flow WHEN 'exports' THEN getvariable('exports') ELSE getvariable('imports') END),
full_groups AS (SELECT flow, grp FROM membership JOIN (SELECT DISTINCT flow, partner FROM mine) ON partner = code GROUP BY flow, grp, n HAVING count(*) = n)
FROM mine UNION ALL SELECT source, flow, grp, hs2, m, usd FROM mine JOIN membership ON partner = code JOIN full_groups USING (flow, grp);
CREATE OR REPLACE TEMP TABLE c AS
WITH long AS (SELECT source, flow, partner, hs2, sum(usd) FILTER (m > getvariable('m') - getvariable('m') % 12 - 1 AND m <= getvariable('m')) AS now,
        sum(usd) FILTER (m > getvariable('m') - getvariable('m') % 12 - 13 AND m <= getvariable('m') - 12) AS before,
        sum(usd) FILTER (m // 12 = getvariable('m') // 12 - 1) AS year
    FROM chapters_of GROUP BY ALL)
SELECT source, flow, partner, hs2, coalesce(now, 0) AS now, coalesce(before, 0) AS before, coalesce(year, 0) AS year, coalesce(now, 0) - coalesce(before, 0) AS change FROM long;
INSERT INTO reading SELECT partner, 'commodity.hs2.' || hs2 || '.' || flow || f.field, f.v, NULL FROM c,
    LATERAL (VALUES ('.ytd', now), ('.ytd.change_usd', change), ('.previous_year', year), ('.ytd.less_previous_year', now - year)) AS f(field, v);
INSERT INTO reading SELECT partner, 'commodity.hs2.exports.largest#' || hs2, now, NULL FROM c
    WHERE flow = 'exports' AND now > 0 QUALIFY row_number() OVER (PARTITION BY partner ORDER BY now DESC, hs2) <= 3;
INSERT INTO reading SELECT partner, 'commodity.hs2.' || flow || '.most_changed#' || hs2, change, NULL FROM c WHERE change <> 0
    QUALIFY row_number() OVER (PARTITION BY partner, flow ORDER BY abs(change) DESC) <= 3;
CREATE OR REPLACE TEMP TABLE added_by AS
    SELECT partner, flow || ' ' || hs2 AS part, CASE flow WHEN 'exports' THEN change ELSE -change END AS usd,
        row_number() OVER (PARTITION BY partner ORDER BY abs(change) DESC) <= 6 AND change <> 0 AS named FROM c
    WHERE partner IN (SELECT partner FROM c GROUP BY 1 HAVING count(DISTINCT source) = 1);  -- two days are not added
INSERT INTO reading SELECT partner, 'commodity.hs2.contributions#' || part, usd, NULL FROM added_by WHERE named;
INSERT INTO reading SELECT partner, 'commodity.hs2.contributions#other', coalesce(sum(usd) FILTER (NOT named), 0), NULL FROM added_by GROUP BY partner;
INSERT INTO reading SELECT partner, 'commodity.hs2.contributions' || f.field, f.v, NULL FROM (
    SELECT partner, count(DISTINCT flow) AS n, sum(CASE flow WHEN 'exports' THEN change ELSE -change END) AS change,
        sum(CASE flow WHEN 'exports' THEN now ELSE -now END) AS now, sum(CASE flow WHEN 'exports' THEN before ELSE -before END) AS before FROM c GROUP BY partner
        HAVING count(DISTINCT source) = 1),
    LATERAL (VALUES ('#change_usd', change), ('#now_usd', CASE n WHEN 1 THEN abs(now) ELSE now END), ('#before_usd', CASE n WHEN 1 THEN abs(before) ELSE before END)) AS f(field, v);
CREATE OR REPLACE TEMP TABLE net AS
    SELECT *, row_number() OVER (PARTITION BY partner ORDER BY abs(usd) DESC) AS place FROM (
        SELECT partner, hs2, sum(CASE flow WHEN 'exports' THEN change ELSE -change END) AS usd FROM c
        WHERE partner IN (SELECT partner FROM c GROUP BY 1 HAVING count(DISTINCT flow) = 2 AND count(DISTINCT source) = 1) GROUP BY ALL);
INSERT INTO reading SELECT partner, 'commodity.hs2.net#' || CASE WHEN place <= 6 AND usd <> 0 THEN hs2 ELSE 'other' END, sum(usd), NULL FROM net GROUP BY ALL;
INSERT INTO reading SELECT partner, 'commodity.hs2.net.largest#' || hs2, usd, NULL FROM net WHERE usd <> 0 AND place <= 4;
INSERT INTO reading SELECT partner, 'commodity.hs2.net.main#' || hs2, usd, NULL FROM net WHERE usd <> 0 AND place <= CASE WHEN
    (SELECT max(abs(usd)) >= 0.6 * sum(abs(usd)) FROM net AS o WHERE o.partner = net.partner AND place <= 6) THEN 1 ELSE 2 END;

-- duties: the rate is of all imports for consumption; a group has one of months whose members are those of the day, and of the file
CREATE OR REPLACE TEMP TABLE others_then AS
    SELECT DISTINCT "group" AS grp, m FROM groups, (SELECT DISTINCT m FROM duty_parts), (VALUES ('then'), ('file')) AS t(whose),
        LATERAL (SELECT CASE whose WHEN 'then' THEN month_text(m) || '-01' ELSE getvariable('duties') END AS day)
    WHERE "group" IN (SELECT grp FROM membership) AND (coalesce(joined, '') <= day AND coalesce("left", '9999') >= day)
        <> (coalesce(joined, '') <= getvariable('d') AND coalesce("left", '9999') >= getvariable('d'));
CREATE OR REPLACE TEMP TABLE dp AS
WITH mine AS (SELECT partner, item, m, usd, duty FROM duty_parts WHERE source = getvariable('duties') AND m <= getvariable('m')),
full_groups AS (SELECT grp FROM membership JOIN (SELECT DISTINCT partner FROM mine) ON partner = code GROUP BY grp, n HAVING count(*) = n)
FROM mine WHERE partner NOT IN (FROM full_groups) AND NOT EXISTS (FROM others_then AS o WHERE grp = partner AND o.m = mine.m)
UNION ALL SELECT grp, item, m, sum(usd), sum(duty) FROM mine JOIN membership ON partner = code WHERE grp IN (FROM full_groups) GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE dm AS
    SELECT partner, m, sum(usd) AS usd, sum(duty) AS duty, CASE WHEN sum(usd) > 0 THEN 100 * sum(duty) / sum(usd) END AS rate FROM dp GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE dw AS
    SELECT * FROM (VALUES ('month', getvariable('m'), getvariable('m')), ('ytd', getvariable('m') - getvariable('m') % 12, getvariable('m')),
        ('trailing12', getvariable('m') - 11, getvariable('m')),
        ('previous_year', getvariable('m') - getvariable('m') % 12 - 12, getvariable('m') - getvariable('m') % 12 - 1)) AS t(span, a, z);
CREATE OR REPLACE TEMP TABLE dsums AS
    SELECT span, back, partner, sum(usd) AS usd, sum(duty) AS duty, CASE WHEN sum(usd) > 0 THEN 100 * sum(duty) / sum(usd) END AS rate
    FROM dm JOIN (FROM dw, (VALUES (0), (12)) AS t(back)) ON m BETWEEN a - back AND z - back GROUP BY span, back, a, z, partner HAVING count(*) = z - a + 1;
CREATE OR REPLACE TEMP TABLE dnow AS
    SELECT span, partner, n.usd, n.duty, n.rate, n.rate - b.rate AS points, n.duty - b.duty AS change
    FROM (FROM dsums WHERE back = 0) AS n LEFT JOIN (FROM dsums WHERE back = 12) AS b USING (span, partner);
INSERT INTO reading SELECT partner, 'tariff.' || f.id, f.v, NULL FROM dnow, LATERAL (VALUES ('rate.' || span, rate),
    ('rate.' || span || '.change_points', points), ('duties.' || span, duty), ('duties.' || span || '.change_usd', change), ('imports.' || span, usd)) AS f(id, v);
INSERT INTO reading SELECT '*', 'world.tariff.rate.' || span || f.id, f.v, NULL FROM dnow, LATERAL (VALUES ('', rate), ('.change_points', points)) AS f(id, v)
    WHERE partner = '0015' AND span IN ('month', 'ytd');
INSERT INTO reading SELECT a.partner, 'tariff.duties.' || a.span || '.share_pct', 100 * a.duty / w.duty, NULL
    FROM dnow AS a JOIN dnow AS w ON w.span = a.span AND w.partner = '0015' WHERE w.duty > 0 AND a.span IN ('month', 'ytd');
INSERT INTO reading SELECT partner, 'tariff.rate.' || span || '.rank' || f.id, f.v, NULL FROM (
    SELECT span, partner, rank() OVER (PARTITION BY span ORDER BY rate DESC) AS place, count(*) OVER (PARTITION BY span) AS n
    FROM dnow JOIN partners ON partner = code WHERE kind = 'country' AND rate IS NOT NULL AND span IN ('month', 'ytd')),
    LATERAL (VALUES ('', place), ('#n', n)) AS f(id, v);
INSERT INTO reading SELECT partner, f.* FROM dm AS d JOIN dnow AS n USING (partner), LATERAL (VALUES ('tariff.rate.december_2024', d.rate, NULL),
    ('tariff.rate.month.since_december_2024_points', n.rate - d.rate, NULL)) AS f(id, v, word) WHERE d.m = 2024 * 12 + 11 AND getvariable('m') > d.m AND n.span = 'month';
INSERT INTO reading SELECT partner, 'tariff.rate.peak' || f.id, f.v, f.word FROM (
    SELECT DISTINCT ON (partner) partner, m, rate FROM dm WHERE rate IS NOT NULL AND partner IN (SELECT partner FROM dnow WHERE span = 'month' AND rate IS NOT NULL)
    ORDER BY partner, rate DESC, m), LATERAL (VALUES ('', NULL, month_text(m)), ('#highest_pct', rate, NULL)) AS f(id, v, word);
INSERT INTO reading SELECT partner, 'tariff.rate.jump' || f.id, f.v, NULL FROM (
    SELECT DISTINCT ON (partner) a.partner, a.m, a.rate, b.rate AS past FROM dm AS a JOIN dm AS b ON b.partner = a.partner AND b.m = a.m - 1
    WHERE a.m > getvariable('m') - 24 AND a.rate > b.rate AND a.partner IN (SELECT partner FROM dnow WHERE span = 'month' AND rate IS NOT NULL)
    ORDER BY a.partner, a.rate - b.rate DESC, a.m), LATERAL (VALUES ('', rate - past), ('#before_pct', past), ('#after_pct', rate)) AS f(id, v);
-- industries or chapters: those with most duties, and what their rates and their mix did to the whole rate
CREATE OR REPLACE TEMP TABLE dparts AS
    SELECT span, partner, item, sum(dp.usd) FILTER (back = 0) AS u, sum(dp.duty) FILTER (back = 0) AS d,
        sum(dp.usd) FILTER (back = 12) AS u0, sum(dp.duty) FILTER (back = 12) AS d0
    FROM dp JOIN dsums AS whole USING (partner) JOIN dw USING (span) WHERE m BETWEEN a - back AND z - back AND span IN ('month', 'ytd') AND getvariable('parts') <> '' GROUP BY span, partner, item;
INSERT INTO reading SELECT partner, 'tariff.parts.' || span || '#' || item || f.id, f.v, NULL FROM dparts,
    LATERAL (VALUES ('', d), (' rate', CASE WHEN u > 0 THEN 100 * d / u END), (' before', CASE WHEN u0 > 0 THEN 100 * d0 / u0 END)) AS f(id, v)
    WHERE d > 0 QUALIFY dense_rank() OVER (PARTITION BY span, partner ORDER BY d DESC, item) <= 5;
INSERT INTO reading SELECT partner, 'tariff.imports.ytd.largest#' || item, u, NULL FROM dparts
    WHERE span = 'ytd' AND u > 0 QUALIFY row_number() OVER (PARTITION BY partner ORDER BY u DESC, item) <= 3;
INSERT INTO reading SELECT partner, 'tariff.imports.ytd.most_changed#' || item, change, NULL FROM (
    SELECT partner, item, coalesce(u, 0) - coalesce(u0, 0) AS change FROM dparts WHERE span = 'ytd'
    QUALIFY count(u) OVER (PARTITION BY partner) > 0 AND count(u0) OVER (PARTITION BY partner) > 0)
    WHERE change <> 0 QUALIFY row_number() OVER (PARTITION BY partner ORDER BY abs(change) DESC, item) <= 3;
INSERT INTO reading SELECT partner, 'tariff.rate.' || span || '.by_' || f.id || '_points', f.v, NULL FROM (
    SELECT span, partner, coalesce(sum((w + w0) / 2 * (r - r0)), 0) AS by_rate, sum(w * r) - sum(w0 * r0) AS whole FROM (
        SELECT span, partner, coalesce(r, r0) AS r, coalesce(r0, r) AS r0, w, w0 FROM (
            SELECT span, partner, CASE WHEN u > 0 THEN 100 * d / u END AS r, CASE WHEN u0 > 0 THEN 100 * d0 / u0 END AS r0,
                coalesce(u, 0) / sum(u) OVER p AS w, coalesce(u0, 0) / sum(u0) OVER p AS w0 FROM dparts WINDOW p AS (PARTITION BY span, partner))
        ) GROUP BY span, partner HAVING sum(w) > 0 AND sum(w0) > 0),
    LATERAL (VALUES ('rate', by_rate), ('mix', whole - by_rate)) AS f(id, v);
