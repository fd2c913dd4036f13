-- YCSB's update: one field of one record.
-- A record by YCSB's ScrambledZipfian: rank of 10^10 by Gray's method with theta 0.99, then FNV-1a.
\set u random(0, 9007199254740991) / 9007199254740992.0
\set uz :u * 26.46902820178302
\set rank case when :uz < 1 then 0 when :uz < 1.5034777750283594 then 1 else int(10000000000 * pow(0.21220003380882607 * :u + 0.78779996619117393, 99.99999999999991)) end
\set record abs(hash_fnv1a(:rank, 0)) % (10000 * :scale) + 1
\set key :record * 2654435761 % 4294967296
\set field random(0, 9)
\set value random(1000000000000000000, 9223372036854775807)
\if :field = 0
UPDATE usertable SET field0 = rpad(CAST(:value AS text), 100, 'x') WHERE ycsb_key = 'user' || CAST(:key AS text);
\elif :field = 1
UPDATE usertable SET field1 = rpad(CAST(:value AS text), 100, 'x') WHERE ycsb_key = 'user' || CAST(:key AS text);
\elif :field = 2
UPDATE usertable SET field2 = rpad(CAST(:value AS text), 100, 'x') WHERE ycsb_key = 'user' || CAST(:key AS text);
\elif :field = 3
UPDATE usertable SET field3 = rpad(CAST(:value AS text), 100, 'x') WHERE ycsb_key = 'user' || CAST(:key AS text);
\elif :field = 4
UPDATE usertable SET field4 = rpad(CAST(:value AS text), 100, 'x') WHERE ycsb_key = 'user' || CAST(:key AS text);
\elif :field = 5
UPDATE usertable SET field5 = rpad(CAST(:value AS text), 100, 'x') WHERE ycsb_key = 'user' || CAST(:key AS text);
\elif :field = 6
UPDATE usertable SET field6 = rpad(CAST(:value AS text), 100, 'x') WHERE ycsb_key = 'user' || CAST(:key AS text);
\elif :field = 7
UPDATE usertable SET field7 = rpad(CAST(:value AS text), 100, 'x') WHERE ycsb_key = 'user' || CAST(:key AS text);
\elif :field = 8
UPDATE usertable SET field8 = rpad(CAST(:value AS text), 100, 'x') WHERE ycsb_key = 'user' || CAST(:key AS text);
\elif :field = 9
UPDATE usertable SET field9 = rpad(CAST(:value AS text), 100, 'x') WHERE ycsb_key = 'user' || CAST(:key AS text);
\endif
