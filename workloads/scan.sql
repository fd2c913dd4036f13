-- One aggregate over all rows: nothing but reading.
SELECT count(*), sum(abalance) FROM pgbench_accounts;
