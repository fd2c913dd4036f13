-- YCSB's scan: 1 to 100 records in the order of their keys, from a record on.
-- A record by YCSB's ScrambledZipfian: rank of 10^10 by Gray's method with theta 0.99, then FNV-1a.
\set u random(0, 9007199254740991) / 9007199254740992.0
\set uz :u * 26.46902820178302
\set rank case when :uz < 1 then 0 when :uz < 1.5034777750283594 then 1 else int(10000000000 * pow(0.21220003380882607 * :u + 0.78779996619117393, 99.99999999999991)) end
\set record abs(hash_fnv1a(:rank, 0)) % (10000 * :scale) + 1
\set key :record * 2654435761 % 4294967296
\set length random(1, 100)
SELECT * FROM usertable WHERE ycsb_key >= 'user' || CAST(:key AS text) ORDER BY ycsb_key LIMIT :length;
