-- TPC-C's stock-level (clause 2.8): items of the last 20 orders of a district that run short.
\if :think > 0
\set pause 2 * 10 * :think
\sleep :pause ms
\endif
\set w_id :client_id % :scale + 1
\set d_id :client_id / :scale % 10 + 1
\set threshold random(10, 20)
BEGIN;
SELECT d_next_o_id AS next FROM district WHERE d_w_id = :w_id AND d_id = :d_id \gset
\set first :next - 20
SELECT count(DISTINCT s_i_id) FROM order_line, stock WHERE ol_w_id = :w_id AND ol_d_id = :d_id AND ol_o_id < :next AND ol_o_id >= :first AND s_w_id = :w_id AND s_i_id = ol_i_id AND s_quantity < :threshold;
COMMIT;
\if :think > 0
\set pause int(least(-ln(random(1, 1000000) / 1000000.0), 10) * 5 * 10 * :think)
\sleep :pause ms
\endif
