-- TPC-C's payment (clause 2.5): 60 % find the customer by last name, 15 % pay at another warehouse.
\if :think > 0
\set pause 3 * 10 * :think
\sleep :pause ms
\endif
\set w_id :client_id % :scale + 1
\set d_id random(1, 10)
\set amount random(100, 500000) / 100.0
\set far case when :scale > 1 and random(1, 100) <= 15 then 1 else 0 end
\set c_w_id case when :far = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set c_d_id case when :far = 1 then random(1, 10) else :d_id end
\set c_id ((random(0, 1023) | random(1, :customers)) + 259) % :customers + 1
\set number ((random(0, 255) | random(0, least(1000, :customers) - 1)) + 223) % least(1000, :customers)
\set s1 :number / 100 % 10 * 5 + 1
\set s2 :number / 10 % 10 * 5 + 1
\set s3 :number % 10 * 5 + 1
\set by_name random(1, 100)
BEGIN;
UPDATE warehouse SET w_ytd = w_ytd + :amount WHERE w_id = :w_id RETURNING w_name, w_street_1, w_street_2, w_city, w_state, w_zip;
UPDATE district SET d_ytd = d_ytd + :amount WHERE d_w_id = :w_id AND d_id = :d_id RETURNING d_name, d_street_1, d_street_2, d_city, d_state, d_zip;
\if :by_name <= 60
SELECT count(*) AS namesakes FROM customer WHERE c_w_id = :c_w_id AND c_d_id = :c_d_id AND c_last = rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', CAST(:s1 AS int), 5)) || rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', CAST(:s2 AS int), 5)) || rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', CAST(:s3 AS int), 5)) \gset
\set middle (:namesakes - 1) / 2
SELECT c_id FROM customer WHERE c_w_id = :c_w_id AND c_d_id = :c_d_id AND c_last = rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', CAST(:s1 AS int), 5)) || rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', CAST(:s2 AS int), 5)) || rtrim(substr('BAR  OUGHTABLE PRI  PRES ESE  ANTI CALLYATIONEING ', CAST(:s3 AS int), 5)) ORDER BY c_first LIMIT 1 OFFSET :middle \gset
\endif
SELECT c_first, c_middle, c_last, c_street_1, c_street_2, c_city, c_state, c_zip, c_phone, c_since, c_credit_lim, c_discount, c_balance, CASE WHEN c_credit = 'BC' THEN 1 ELSE 0 END AS bad FROM customer WHERE c_w_id = :c_w_id AND c_d_id = :c_d_id AND c_id = :c_id FOR UPDATE \gset
\if :bad = 1
UPDATE customer SET c_balance = c_balance - :amount, c_ytd_payment = c_ytd_payment + :amount, c_payment_cnt = c_payment_cnt + 1,
  c_data = substr(CAST(:c_id AS text) || ' ' || CAST(:c_d_id AS text) || ' ' || CAST(:c_w_id AS text) || ' ' || CAST(:d_id AS text) || ' ' || CAST(:w_id AS text) || ' ' || CAST(:amount AS text) || ' ' || c_data, 1, 500)
  WHERE c_w_id = :c_w_id AND c_d_id = :c_d_id AND c_id = :c_id;
\else
UPDATE customer SET c_balance = c_balance - :amount, c_ytd_payment = c_ytd_payment + :amount, c_payment_cnt = c_payment_cnt + 1 WHERE c_w_id = :c_w_id AND c_d_id = :c_d_id AND c_id = :c_id;
\endif
INSERT INTO history (h_c_id, h_c_d_id, h_c_w_id, h_d_id, h_w_id, h_date, h_amount, h_data)
  SELECT :c_id, :c_d_id, :c_w_id, d_id, w_id, CURRENT_TIMESTAMP, :amount, w_name || '    ' || d_name FROM warehouse, district WHERE w_id = :w_id AND d_w_id = :w_id AND d_id = :d_id;
COMMIT;
\if :think > 0
\set pause int(least(-ln(random(1, 1000000) / 1000000.0), 10) * 12 * 10 * :think)
\sleep :pause ms
\endif
