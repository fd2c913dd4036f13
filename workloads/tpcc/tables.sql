-- TPC-C's nine tables (clause 1.3), filled as clause 4.3 says, for :scale warehouses. What the
-- standard draws at random follows from the row's keys, so that every server gets the same data.
-- :items (100,000), :customers of a district and as many orders (3,000) are smaller only in tests.
DROP TABLE IF EXISTS order_line, new_order, orders, history, customer, district, stock, item, warehouse;
CREATE TABLE warehouse(w_id int NOT NULL, w_name varchar(10), w_street_1 varchar(20), w_street_2 varchar(20), w_city varchar(20), w_state char(2), w_zip char(9), w_tax numeric(4, 4), w_ytd numeric(12, 2));
CREATE TABLE district(d_id int NOT NULL, d_w_id int NOT NULL, d_name varchar(10), d_street_1 varchar(20), d_street_2 varchar(20), d_city varchar(20), d_state char(2), d_zip char(9), d_tax numeric(4, 4), d_ytd numeric(12, 2), d_next_o_id int);
CREATE TABLE customer(c_id int NOT NULL, c_d_id int NOT NULL, c_w_id int NOT NULL, c_first varchar(16), c_middle char(2), c_last varchar(16), c_street_1 varchar(20), c_street_2 varchar(20), c_city varchar(20), c_state char(2), c_zip char(9), c_phone char(16), c_since timestamp, c_credit char(2), c_credit_lim numeric(12, 2), c_discount numeric(4, 4), c_balance numeric(12, 2), c_ytd_payment numeric(12, 2), c_payment_cnt int, c_delivery_cnt int, c_data varchar(500));
CREATE TABLE history(h_c_id int, h_c_d_id int, h_c_w_id int, h_d_id int, h_w_id int, h_date timestamp, h_amount numeric(6, 2), h_data varchar(24));
CREATE TABLE new_order(no_o_id int NOT NULL, no_d_id int NOT NULL, no_w_id int NOT NULL);
CREATE TABLE orders(o_id int NOT NULL, o_d_id int NOT NULL, o_w_id int NOT NULL, o_c_id int, o_entry_d timestamp, o_carrier_id int, o_ol_cnt int, o_all_local int);
CREATE TABLE order_line(ol_o_id int NOT NULL, ol_d_id int NOT NULL, ol_w_id int NOT NULL, ol_number int NOT NULL, ol_i_id int, ol_supply_w_id int, ol_delivery_d timestamp, ol_quantity int, ol_amount numeric(6, 2), ol_dist_info char(24));
CREATE TABLE item(i_id int NOT NULL, i_im_id int, i_name varchar(24), i_price numeric(5, 2), i_data varchar(50));
CREATE TABLE stock(s_i_id int NOT NULL, s_w_id int NOT NULL, s_quantity int, s_dist_01 char(24), s_dist_02 char(24), s_dist_03 char(24), s_dist_04 char(24), s_dist_05 char(24), s_dist_06 char(24), s_dist_07 char(24), s_dist_08 char(24), s_dist_09 char(24), s_dist_10 char(24), s_ytd int, s_order_cnt int, s_remote_cnt int, s_data varchar(50));
INSERT INTO warehouse
  SELECT w, 'W' || CAST(w AS text), 'street one', 'street two', 'city', 'ST', '123411111', CAST(w * 7919 % 2001 AS numeric) / 10000, 100 * :customers
  FROM generate_series(1, :scale) AS w;
INSERT INTO district
  SELECT d, w_id, 'D' || CAST(d AS text), 'street one', 'street two', 'city', 'ST', '123411111', CAST((w_id * 10 + d) * 7919 % 2001 AS numeric) / 10000, 10 * :customers, :customers + 1
  FROM warehouse, generate_series(1, 10) AS d;
INSERT INTO item
  SELECT i, i * 7919 % 10000 + 1, 'item ' || CAST(i AS text), CAST(i * CAST(7919 AS bigint) % 9901 + 100 AS numeric) / 100,
    CASE WHEN i % 10 = 0 THEN substr(md5(CAST(i AS text)), 1, 20) || 'ORIGINAL' ELSE substr(md5(CAST(i AS text)), 1, 28) END
  FROM generate_series(1, :items) AS i;
INSERT INTO stock
  SELECT i_id, w_id, (i_id * CAST(104729 AS bigint) + w_id) % 91 + 10,
    substr(hex, 1, 24), substr(hex, 2, 24), substr(hex, 3, 24), substr(hex, 4, 24), substr(hex, 5, 24), substr(hex, 6, 24), substr(hex, 7, 24), substr(hex, 8, 24), substr(hex, 3, 24), substr(hex, 5, 24),
    0, 0, 0, CASE WHEN (i_id + w_id) % 10 = 0 THEN substr(hex, 1, 20) || 'ORIGINAL' ELSE substr(hex, 1, 28) END
  FROM (SELECT w_id, i_id, md5(CAST(i_id AS text)) AS hex FROM warehouse, item) AS made;
-- The first thousand of a district have every last name once, the others NURand's, with C = 123.
INSERT INTO customer
  SELECT c, d_id, d_w_id, substr(hex, 1, 8 + c % 9), 'OE',
    rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', number / 100 % 10 * 5 + 1, 5)) || rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', number / 10 % 10 * 5 + 1, 5)) || rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', number % 10 * 5 + 1, 5)),
    'street one', 'street two', 'city', 'ST', '123411111', substr(hex, 1, 16), TIMESTAMP '2026-01-01 00:00:00',
    CASE WHEN (c * 7919 + d_id) % 10 = 0 THEN 'BC' ELSE 'GC' END, 50000, CAST((c * 7919 + d_id) % 5001 AS numeric) / 10000,
    -10, 10, 1, 0, rpad(hex, 300 + c * 7919 % 201, hex)
  FROM (SELECT c, d_id, d_w_id, md5(CAST(c AS text)) AS hex,
      CASE WHEN c <= 1000 THEN c - 1
        ELSE ((((c * 48271 + d_id * 12289) % 256) | ((c * 69621 + d_w_id * 40961) % 1000)) + 123) % 1000 % least(1000, :customers) END AS number
    FROM district, generate_series(1, :customers) AS c) AS made;
INSERT INTO history SELECT c_id, c_d_id, c_w_id, c_d_id, c_w_id, c_since, 10, 'set-up' FROM customer;
-- Orders of a permutation of the customers. The newest three tenths are not delivered yet.
INSERT INTO orders
  SELECT o, d_id, d_w_id, o * CAST(7919 AS bigint) % :customers + 1, TIMESTAMP '2026-01-01 00:00:00',
    CASE WHEN o <= :customers * 7 / 10 THEN (o + d_id) % 10 + 1 END, (o * 31 + d_id * 7) % 11 + 5, 1
  FROM district, generate_series(1, :customers) AS o;
INSERT INTO new_order SELECT o_id, o_d_id, o_w_id FROM orders WHERE o_carrier_id IS NULL;
INSERT INTO order_line
  SELECT o_id, o_d_id, o_w_id, n, (o_id * CAST(69621 AS bigint) + o_d_id * 12289 + n * 40961) % :items + 1, o_w_id,
    CASE WHEN o_carrier_id IS NOT NULL THEN o_entry_d END, 5,
    CASE WHEN o_carrier_id IS NOT NULL THEN 0 ELSE CAST((o_id * CAST(7919 AS bigint) + n * 104729) % 999999 + 1 AS numeric) / 100 END,
    substr(md5(CAST(o_id AS text)), 1, 24)
  FROM orders, generate_series(1, 15) AS n WHERE n <= o_ol_cnt;
ALTER TABLE warehouse ADD PRIMARY KEY (w_id);
ALTER TABLE district ADD PRIMARY KEY (d_w_id, d_id);
ALTER TABLE customer ADD PRIMARY KEY (c_w_id, c_d_id, c_id);
ALTER TABLE new_order ADD PRIMARY KEY (no_w_id, no_d_id, no_o_id);
ALTER TABLE orders ADD PRIMARY KEY (o_w_id, o_d_id, o_id);
ALTER TABLE order_line ADD PRIMARY KEY (ol_w_id, ol_d_id, ol_o_id, ol_number);
ALTER TABLE item ADD PRIMARY KEY (i_id);
ALTER TABLE stock ADD PRIMARY KEY (s_w_id, s_i_id);
CREATE INDEX customer_name ON customer (c_w_id, c_d_id, c_last, c_first);
CREATE INDEX orders_customer ON orders (o_w_id, o_d_id, o_c_id, o_id);
VACUUM ANALYZE warehouse;
VACUUM ANALYZE district;
VACUUM ANALYZE customer;
VACUUM ANALYZE history;
VACUUM ANALYZE new_order;
VACUUM ANALYZE orders;
VACUUM ANALYZE order_line;
VACUUM ANALYZE item;
VACUUM ANALYZE stock;
