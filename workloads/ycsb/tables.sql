-- YCSB's table as its JDBC binding makes it: :scale times 10,000 records of ten fields of 100
-- bytes. Record n has the key "user" || (n * 2654435761 mod 2^32): a permutation, so that
-- neighbours in one order are strangers in the other, as YCSB's hashed keys are.
\set records 10000 * :scale
DROP TABLE IF EXISTS usertable;
DROP SEQUENCE IF EXISTS ycsb_newest;
CREATE TABLE usertable(ycsb_key varchar(255) NOT NULL, field0 text, field1 text, field2 text, field3 text, field4 text, field5 text, field6 text, field7 text, field8 text, field9 text);
INSERT INTO usertable
  SELECT 'user' || CAST(n * 2654435761 % 4294967296 AS text),
    rpad(hex, 100, hex), rpad(hex, 100, hex), rpad(hex, 100, hex), rpad(hex, 100, hex), rpad(hex, 100, hex),
    rpad(hex, 100, hex), rpad(hex, 100, hex), rpad(hex, 100, hex), rpad(hex, 100, hex), rpad(hex, 100, hex)
  FROM (SELECT n, md5(CAST(n AS text)) AS hex FROM generate_series(1, :records) AS n) AS made;
ALTER TABLE usertable ADD PRIMARY KEY (ycsb_key);
CREATE SEQUENCE ycsb_newest;
SELECT setval('ycsb_newest', :records);
VACUUM ANALYZE usertable;
