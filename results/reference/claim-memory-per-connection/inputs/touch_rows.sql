\set last 1000 * :scale * :touch_percent
SELECT sum(abalance) FROM pgbench_accounts WHERE aid BETWEEN 1 AND :last;
