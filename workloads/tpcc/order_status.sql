-- TPC-C's order-status (clause 2.6): the last order of a customer, 60 % found by last name.
\if :think > 0
\set pause 2 * 10 * :think
\sleep :pause ms
\endif
\set w_id :client_id % :scale + 1
\set d_id random(1, 10)
\set c_id ((random(0, 1023) | random(1, :customers)) + 259) % :customers + 1
\set number ((random(0, 255) | random(0, least(1000, :customers) - 1)) + 223) % least(1000, :customers)
\set s1 :number / 100 % 10 * 5 + 1
\set s2 :number / 10 % 10 * 5 + 1
\set s3 :number % 10 * 5 + 1
\set by_name random(1, 100)
BEGIN;
\if :by_name <= 60
SELECT count(*) AS namesakes FROM customer WHERE c_w_id = :w_id AND c_d_id = :d_id AND c_last = rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', CAST(:s1 AS int), 5)) || rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', CAST(:s2 AS int), 5)) || rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', CAST(:s3 AS int), 5)) \gset
\set middle (:namesakes - 1) / 2
SELECT c_id FROM customer WHERE c_w_id = :w_id AND c_d_id = :d_id AND c_last = rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', CAST(:s1 AS int), 5)) || rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', CAST(:s2 AS int), 5)) || rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', CAST(:s3 AS int), 5)) ORDER BY c_first LIMIT 1 OFFSET :middle \gset
\endif
SELECT c_balance, c_first, c_middle, c_last FROM customer WHERE c_w_id = :w_id AND c_d_id = :d_id AND c_id = :c_id;
SELECT o_id, o_entry_d, o_carrier_id FROM orders WHERE o_w_id = :w_id AND o_d_id = :d_id AND o_c_id = :c_id ORDER BY o_id DESC LIMIT 1 \gset
SELECT ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_delivery_d FROM order_line WHERE ol_w_id = :w_id AND ol_d_id = :d_id AND ol_o_id = :o_id;
COMMIT;
\if :think > 0
\set pause int(least(-ln(random(1, 1000000) / 1000000.0), 10) * 10 * 10 * :think)
\sleep :pause ms
\endif
