\set a ((((((1+2)*3)-4)/0)
SELECT 1;