-- TPC-C's new-order (clause 2.4): 5 to 15 lines, one in a hundred with an item that does not exist.
\if :think > 0
\set pause 18 * 10 * :think
\sleep :pause ms
\endif
\set w_id :client_id % :scale + 1
\set d_id random(1, 10)
\set c_id ((random(0, 1023) | random(1, :customers)) + 259) % :customers + 1
\set lines random(5, 15)
\set unused random(1, 100)
\set i1 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q1 random(1, 10)
\set s1 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i2 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q2 random(1, 10)
\set s2 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i3 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q3 random(1, 10)
\set s3 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i4 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q4 random(1, 10)
\set s4 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i5 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q5 random(1, 10)
\set s5 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i6 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q6 random(1, 10)
\set s6 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i7 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q7 random(1, 10)
\set s7 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i8 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q8 random(1, 10)
\set s8 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i9 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q9 random(1, 10)
\set s9 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i10 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q10 random(1, 10)
\set s10 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i11 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q11 random(1, 10)
\set s11 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i12 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q12 random(1, 10)
\set s12 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i13 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q13 random(1, 10)
\set s13 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i14 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q14 random(1, 10)
\set s14 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set i15 ((random(0, 8191) | random(1, :items)) + 7911) % :items + 1
\set q15 random(1, 10)
\set s15 case when :scale > 1 and random(1, 100) = 1 then (:w_id + random(0, :scale - 2)) % :scale + 1 else :w_id end
\set remote (case when :s1 <> :w_id then 1 else 0 end) + (case when :s2 <> :w_id then 1 else 0 end) + (case when :s3 <> :w_id then 1 else 0 end) + (case when :s4 <> :w_id then 1 else 0 end) + (case when :s5 <> :w_id then 1 else 0 end) + (case when :lines >= 6 and :s6 <> :w_id then 1 else 0 end) + (case when :lines >= 7 and :s7 <> :w_id then 1 else 0 end) + (case when :lines >= 8 and :s8 <> :w_id then 1 else 0 end) + (case when :lines >= 9 and :s9 <> :w_id then 1 else 0 end) + (case when :lines >= 10 and :s10 <> :w_id then 1 else 0 end) + (case when :lines >= 11 and :s11 <> :w_id then 1 else 0 end) + (case when :lines >= 12 and :s12 <> :w_id then 1 else 0 end) + (case when :lines >= 13 and :s13 <> :w_id then 1 else 0 end) + (case when :lines >= 14 and :s14 <> :w_id then 1 else 0 end) + (case when :lines >= 15 and :s15 <> :w_id then 1 else 0 end)
\set all_local case when :remote = 0 then 1 else 0 end
\set whole case when :unused = 1 then :lines - 1 else :lines end
BEGIN;
SELECT c_discount, c_last, c_credit, w_tax FROM warehouse, customer WHERE w_id = :w_id AND c_w_id = :w_id AND c_d_id = :d_id AND c_id = :c_id;
UPDATE district SET d_next_o_id = d_next_o_id + 1 WHERE d_w_id = :w_id AND d_id = :d_id RETURNING d_next_o_id - 1 AS o_id, d_tax \gset
INSERT INTO orders (o_id, o_d_id, o_w_id, o_c_id, o_entry_d, o_ol_cnt, o_all_local) VALUES (:o_id, :d_id, :w_id, :c_id, CURRENT_TIMESTAMP, :lines, :all_local);
INSERT INTO new_order (no_o_id, no_d_id, no_w_id) VALUES (:o_id, :d_id, :w_id);
\if :whole >= 1
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i1 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s1 AND s_i_id = :i1 FOR UPDATE \gset
\set stocked case when :stocked >= :q1 + 10 then :stocked - :q1 else :stocked - :q1 + 91 end
\set far case when :s1 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q1, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s1 AND s_i_id = :i1;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 1, s_i_id, s_w_id, :q1, CAST(:q1 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s1 AND s_i_id = :i1;
\endif
\if :whole >= 2
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i2 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s2 AND s_i_id = :i2 FOR UPDATE \gset
\set stocked case when :stocked >= :q2 + 10 then :stocked - :q2 else :stocked - :q2 + 91 end
\set far case when :s2 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q2, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s2 AND s_i_id = :i2;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 2, s_i_id, s_w_id, :q2, CAST(:q2 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s2 AND s_i_id = :i2;
\endif
\if :whole >= 3
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i3 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s3 AND s_i_id = :i3 FOR UPDATE \gset
\set stocked case when :stocked >= :q3 + 10 then :stocked - :q3 else :stocked - :q3 + 91 end
\set far case when :s3 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q3, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s3 AND s_i_id = :i3;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 3, s_i_id, s_w_id, :q3, CAST(:q3 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s3 AND s_i_id = :i3;
\endif
\if :whole >= 4
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i4 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s4 AND s_i_id = :i4 FOR UPDATE \gset
\set stocked case when :stocked >= :q4 + 10 then :stocked - :q4 else :stocked - :q4 + 91 end
\set far case when :s4 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q4, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s4 AND s_i_id = :i4;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 4, s_i_id, s_w_id, :q4, CAST(:q4 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s4 AND s_i_id = :i4;
\endif
\if :whole >= 5
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i5 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s5 AND s_i_id = :i5 FOR UPDATE \gset
\set stocked case when :stocked >= :q5 + 10 then :stocked - :q5 else :stocked - :q5 + 91 end
\set far case when :s5 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q5, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s5 AND s_i_id = :i5;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 5, s_i_id, s_w_id, :q5, CAST(:q5 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s5 AND s_i_id = :i5;
\endif
\if :whole >= 6
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i6 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s6 AND s_i_id = :i6 FOR UPDATE \gset
\set stocked case when :stocked >= :q6 + 10 then :stocked - :q6 else :stocked - :q6 + 91 end
\set far case when :s6 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q6, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s6 AND s_i_id = :i6;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 6, s_i_id, s_w_id, :q6, CAST(:q6 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s6 AND s_i_id = :i6;
\endif
\if :whole >= 7
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i7 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s7 AND s_i_id = :i7 FOR UPDATE \gset
\set stocked case when :stocked >= :q7 + 10 then :stocked - :q7 else :stocked - :q7 + 91 end
\set far case when :s7 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q7, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s7 AND s_i_id = :i7;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 7, s_i_id, s_w_id, :q7, CAST(:q7 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s7 AND s_i_id = :i7;
\endif
\if :whole >= 8
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i8 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s8 AND s_i_id = :i8 FOR UPDATE \gset
\set stocked case when :stocked >= :q8 + 10 then :stocked - :q8 else :stocked - :q8 + 91 end
\set far case when :s8 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q8, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s8 AND s_i_id = :i8;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 8, s_i_id, s_w_id, :q8, CAST(:q8 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s8 AND s_i_id = :i8;
\endif
\if :whole >= 9
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i9 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s9 AND s_i_id = :i9 FOR UPDATE \gset
\set stocked case when :stocked >= :q9 + 10 then :stocked - :q9 else :stocked - :q9 + 91 end
\set far case when :s9 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q9, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s9 AND s_i_id = :i9;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 9, s_i_id, s_w_id, :q9, CAST(:q9 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s9 AND s_i_id = :i9;
\endif
\if :whole >= 10
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i10 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s10 AND s_i_id = :i10 FOR UPDATE \gset
\set stocked case when :stocked >= :q10 + 10 then :stocked - :q10 else :stocked - :q10 + 91 end
\set far case when :s10 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q10, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s10 AND s_i_id = :i10;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 10, s_i_id, s_w_id, :q10, CAST(:q10 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s10 AND s_i_id = :i10;
\endif
\if :whole >= 11
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i11 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s11 AND s_i_id = :i11 FOR UPDATE \gset
\set stocked case when :stocked >= :q11 + 10 then :stocked - :q11 else :stocked - :q11 + 91 end
\set far case when :s11 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q11, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s11 AND s_i_id = :i11;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 11, s_i_id, s_w_id, :q11, CAST(:q11 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s11 AND s_i_id = :i11;
\endif
\if :whole >= 12
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i12 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s12 AND s_i_id = :i12 FOR UPDATE \gset
\set stocked case when :stocked >= :q12 + 10 then :stocked - :q12 else :stocked - :q12 + 91 end
\set far case when :s12 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q12, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s12 AND s_i_id = :i12;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 12, s_i_id, s_w_id, :q12, CAST(:q12 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s12 AND s_i_id = :i12;
\endif
\if :whole >= 13
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i13 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s13 AND s_i_id = :i13 FOR UPDATE \gset
\set stocked case when :stocked >= :q13 + 10 then :stocked - :q13 else :stocked - :q13 + 91 end
\set far case when :s13 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q13, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s13 AND s_i_id = :i13;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 13, s_i_id, s_w_id, :q13, CAST(:q13 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s13 AND s_i_id = :i13;
\endif
\if :whole >= 14
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i14 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s14 AND s_i_id = :i14 FOR UPDATE \gset
\set stocked case when :stocked >= :q14 + 10 then :stocked - :q14 else :stocked - :q14 + 91 end
\set far case when :s14 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q14, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s14 AND s_i_id = :i14;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 14, s_i_id, s_w_id, :q14, CAST(:q14 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s14 AND s_i_id = :i14;
\endif
\if :whole >= 15
SELECT i_price AS price, i_name, i_data FROM item WHERE i_id = :i15 \gset
SELECT s_quantity AS stocked, s_data FROM stock WHERE s_w_id = :s15 AND s_i_id = :i15 FOR UPDATE \gset
\set stocked case when :stocked >= :q15 + 10 then :stocked - :q15 else :stocked - :q15 + 91 end
\set far case when :s15 <> :w_id then 1 else 0 end
UPDATE stock SET s_quantity = :stocked, s_ytd = s_ytd + :q15, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + :far WHERE s_w_id = :s15 AND s_i_id = :i15;
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info)
  SELECT :o_id, :d_id, :w_id, 15, s_i_id, s_w_id, :q15, CAST(:q15 AS int) * CAST(:price AS numeric), CASE CAST(:d_id AS int) WHEN 1 THEN s_dist_01 WHEN 2 THEN s_dist_02 WHEN 3 THEN s_dist_03 WHEN 4 THEN s_dist_04 WHEN 5 THEN s_dist_05 WHEN 6 THEN s_dist_06 WHEN 7 THEN s_dist_07 WHEN 8 THEN s_dist_08 WHEN 9 THEN s_dist_09 ELSE s_dist_10 END
  FROM stock WHERE s_w_id = :s15 AND s_i_id = :i15;
\endif
\if :unused = 1
\set nothing :items + 1
SELECT i_price, i_name, i_data FROM item WHERE i_id = :nothing;
ROLLBACK;
\else
COMMIT;
\endif
\if :think > 0
\set pause int(least(-ln(random(1, 1000000) / 1000000.0), 10) * 12 * 10 * :think)
\sleep :pause ms
\endif
