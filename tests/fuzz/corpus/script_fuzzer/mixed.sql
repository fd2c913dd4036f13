\set a case when random(1,:scale) > 0 then 1 else hash(:x) end
\if :a is null
SELECT :a::int, $q$ ; $q$;
\elif not true
\sleep :a us
\else
SELECT 1 AS x\gset p_
\endif
SELECT :p_x\; SELECT 2;