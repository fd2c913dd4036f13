-- TPC-C's consistency conditions (clause 3.3.2): a row is a district or warehouse that breaks one.
-- 1: a warehouse's payments are those of its districts.
SELECT 'condition 1' AS broken, w_id, w_ytd, paid
  FROM warehouse JOIN (SELECT d_w_id, sum(d_ytd) AS paid FROM district GROUP BY d_w_id) AS districts ON d_w_id = w_id
  WHERE w_ytd <> paid LIMIT 5;
-- 2: the last order's number is one below the next, and that of the newest order to deliver.
SELECT 'condition 2' AS broken, d_w_id, d_id, d_next_o_id, last_order, last_new
  FROM district
  LEFT JOIN (SELECT o_w_id, o_d_id, max(o_id) AS last_order FROM orders GROUP BY o_w_id, o_d_id) AS o ON o_w_id = d_w_id AND o_d_id = d_id
  LEFT JOIN (SELECT no_w_id, no_d_id, max(no_o_id) AS last_new FROM new_order GROUP BY no_w_id, no_d_id) AS n ON no_w_id = d_w_id AND no_d_id = d_id
  WHERE last_order IS NULL OR last_order <> d_next_o_id - 1 OR last_new <> last_order LIMIT 5;
-- 3: orders to deliver have no gap.
SELECT 'condition 3' AS broken, no_w_id, no_d_id, min(no_o_id), max(no_o_id), count(*)
  FROM new_order GROUP BY no_w_id, no_d_id HAVING max(no_o_id) - min(no_o_id) + 1 <> count(*) LIMIT 5;
-- 4: orders have as many lines as they say.
SELECT 'condition 4' AS broken, o_w_id, o_d_id, said, there
  FROM (SELECT o_w_id, o_d_id, sum(o_ol_cnt) AS said FROM orders GROUP BY o_w_id, o_d_id) AS o
  JOIN (SELECT ol_w_id, ol_d_id, count(*) AS there FROM order_line GROUP BY ol_w_id, ol_d_id) AS l ON ol_w_id = o_w_id AND ol_d_id = o_d_id
  WHERE said <> there LIMIT 5;
-- 5: an order waits for delivery if, and only if, it has no carrier.
SELECT 'condition 5' AS broken, o_w_id, o_d_id, o_id
  FROM orders LEFT JOIN new_order ON no_w_id = o_w_id AND no_d_id = o_d_id AND no_o_id = o_id
  WHERE (o_carrier_id IS NULL) <> (no_o_id IS NOT NULL) LIMIT 5;
-- 8 and 9: payments of a warehouse, and of a district, are those of its history.
SELECT 'condition 8' AS broken, w_id, w_ytd, paid
  FROM warehouse JOIN (SELECT h_w_id, sum(h_amount) AS paid FROM history GROUP BY h_w_id) AS h ON h_w_id = w_id
  WHERE w_ytd <> paid LIMIT 5;
SELECT 'condition 9' AS broken, d_w_id, d_id, d_ytd, paid
  FROM district JOIN (SELECT h_w_id, h_d_id, sum(h_amount) AS paid FROM history GROUP BY h_w_id, h_d_id) AS h ON h_w_id = d_w_id AND h_d_id = d_id
  WHERE d_ytd <> paid LIMIT 5;
