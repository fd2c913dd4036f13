-- YCSB's read of what is latest: the newest record that this client knows of, less a zipfian rank
-- among all; the client learns of new ones as it inserts. zeta(n) is a sum in YCSB, here its
-- expansion of Euler and Maclaurin, right to nine digits.
\set records case when :newest > 0 then :newest else 10000 * :scale end
\set zeta 100 * pow(:records, 0.01) - 99.4235129777281 + 0.5 * pow(:records, -0.99)
\set eta (1 - pow(2.0 / :records, 0.01)) / (1 - 1.5034777750283594 / :zeta)
\set u random(0, 9007199254740991) / 9007199254740992.0
\set uz :u * :zeta
\set rank case when :uz < 1 then 0 when :uz < 1.5034777750283594 then 1 else int(:records * pow(:eta * :u - :eta + 1, 99.99999999999991)) end
\set key (:records - :rank) * 2654435761 % 4294967296
SELECT * FROM usertable WHERE ycsb_key = 'user' || CAST(:key AS text);
