-- YCSB's insert: the next record. The client keeps its number, for reads of what is newest.
\set value0 random(1000000000000000000, 9223372036854775807)
\set value1 random(1000000000000000000, 9223372036854775807)
\set value2 random(1000000000000000000, 9223372036854775807)
\set value3 random(1000000000000000000, 9223372036854775807)
\set value4 random(1000000000000000000, 9223372036854775807)
\set value5 random(1000000000000000000, 9223372036854775807)
\set value6 random(1000000000000000000, 9223372036854775807)
\set value7 random(1000000000000000000, 9223372036854775807)
\set value8 random(1000000000000000000, 9223372036854775807)
\set value9 random(1000000000000000000, 9223372036854775807)
INSERT INTO usertable
  SELECT 'user' || CAST(n * 2654435761 % 4294967296 AS text),
    rpad(CAST(:value0 AS text), 100, 'x'), rpad(CAST(:value1 AS text), 100, 'x'), rpad(CAST(:value2 AS text), 100, 'x'),
    rpad(CAST(:value3 AS text), 100, 'x'), rpad(CAST(:value4 AS text), 100, 'x'), rpad(CAST(:value5 AS text), 100, 'x'),
    rpad(CAST(:value6 AS text), 100, 'x'), rpad(CAST(:value7 AS text), 100, 'x'), rpad(CAST(:value8 AS text), 100, 'x'),
    rpad(CAST(:value9 AS text), 100, 'x')
  FROM (SELECT nextval('ycsb_newest') AS n) AS next
  RETURNING currval('ycsb_newest') AS newest \gset
