-- Sorts rows that come in no order, and reads them all; one row goes to the client.
\set aid random(1, 90000 * :scale)
SELECT count(*), max(filler) FROM (SELECT aid, filler FROM pgbench_accounts WHERE aid BETWEEN :aid AND :aid + 9999 ORDER BY filler, abalance, -aid) AS sorted;
