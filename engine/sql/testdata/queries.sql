-- One statement a line. What PostgreSQL 15 answers to them, in this order, in one session of a fresh
-- database with the C collation, is in postgres15.txt; regenerate.py makes it.
create table t (id int primary key, n int, b bigint, s text, v varchar(10), c char(5), f float8, k bool)
insert into t values (1, 10, 100, 'one', 'uno', 'a', 1.5, true), (2, 20, 200, 'two', 'dos', 'bb', 2.25, false), (3, null, 300, 'three', null, 'ccc', null, null)
insert into t (id, s) values (4, 'four') returning id, s, n
insert into t (id, n, b) select 5, 50, 500 returning *
select * from t order by id
select id, n + b, s || '-' || v from t order by 1
select count(*), count(n), sum(n), avg(n), min(s), max(b) from t
select sum(id), sum(b), avg(f), avg(b) from t
select n is null as empty, count(*) from t group by n is null order by 1
select n % 20, count(*) from t where n is not null group by 1 order by 2 desc, 1
select k, count(*) from t group by k order by k nulls first
select k, count(*) c from t group by k having count(*) > 1 order by c
select distinct k from t order by k desc
select distinct n % 20 as m from t order by m
select array[1, 2.5, '3'], array['a', null], array[]::int[], array['1', '2']::int[], '[2:3]={a,b}'::text[], pg_typeof(array[1, 2])
select array[]
select array[1, 'x']
select array[true, 1]
select '{1,x}'::int[]
select '{1'::int[]
select '[1:2]={1}'::int[]
select 1 = any('{1,2}'), 3 <> all(array[1, 2]), 2 > all(array[1, null]), null = any('{}'::int[]), null = any(array[1]), 1 = any(null)
select 1 = any(array['a'])
select 1 + any(array[1])
select 1 = any(3)
select 'abc' like any(array['x%', 'a%']), 'abc'::name = any(array['abc'])
select (array[1, 2, 3])[2], (array[1, 2])[7], (array[1, 2])['2'], (array[1, 2])[1.5], ('[0:1]={a,b}'::text[])[0]
select (1)[1]
select array_to_string(array[1, null, 3], ',', '*'), array_length('{}'::int[], 1), array_upper(array[1, 2], 1), cardinality(array[1, 2]), array_dims('[2:4]={a,b,c}'::text[])
select array_to_string('{1,2}', ',')
select array_length(1, 1)
select array_append(array[1], null), array_prepend(0, array[1]), array_cat(array[1], array[2]), array_append(null::int[], 3), array_remove(array[1, 2, 1], 1), array_replace(array[1, 2, 1], 1, 3), array_position(array[1, 2, 1], 1, 2), array_positions(array[1, 2, 1], 1)
select array[1, 2] || 3, 0 || array[1], array[1] || array[2], array[1] || null, array[1] || '{2}', array[1] || 3::bigint
select 'x'::text || array[1]
select array[1] || 'a'
select array[1, 2] < array[1, 3], array[1] < array[1, 0], array[null::int] > array[1], '{}'::int[] = '{}', array[1, 2] @> array[2], array[1] <@ array[1, 2], array[1] && array[2], array[1, 2] is distinct from null
select array[1] = array[1::bigint]
select array[1, 2]::text[], array[1.5, 2.5]::int[], '{1,2}'::text::int[], array[1]::text, array['a b', 'c,d', '', 'null', 'x"y', 'b\s', '{']
select string_to_array('a,b,,c', ','), string_to_array('a,b,,c', ',', ''), string_to_array('äbc', null), string_to_array('', ','), string_to_array('abc', '')
select array(select id from t where id < 3 order by id desc), array(select s from t where false)
select array(select 1, 2)
select array_agg(id) from (select id from t where id < 4 order by id) q
select array_agg(distinct n), array_agg(n) from t where id = 3
select array_agg('a')
select unnest(array[1, 2]), unnest(array['a', 'b', 'c'])
select id, unnest(array[s, v]) from t where id < 3 order by id
select distinct unnest(array[2, 1, 2]) order by 1
select * from unnest(array['a', 'b']) with ordinality
select u.n, v from unnest(array['a', 'b']) with ordinality as u(v, n) where n > 1
select id, x from t, unnest(array[id, id * 10]) x where id < 3 order by 1, 2
select unnest('{1}')
select unnest(1)
select count(*) from t where id = any(array[1, 3, 99])
select s from t where id = any('{3,1}') order by id
select array_agg(id) from t where false
select distinct on (n % 20) id, n from t order by n % 20, id desc
select distinct on (k) k, id from t order by k desc, id
select distinct on (1) k as x, id from t order by x, id desc
select distinct on (x) k as x, id from t order by x nulls first, id limit 2
select distinct on (k, n) id from t order by n, k, id
select distinct on (k) id from t order by id
select distinct on (k, id) id from t order by k, n, id
select distinct on (k, n) id from t order by k, id, n
select distinct on (3) id, n from t
select distinct on (nope) id from t
select distinct on (count(*) > 1) k, count(*) > 1 from t group by k order by count(*) > 1, k
select count(*) from (select distinct on (k) id from t order by k) q
select s from t order by s desc limit 2
select s from t order by length(s), s offset 1 limit 2
select id from t where id in (1, 3, 99) order by id
select id from t where id not in (1, 3) order by id
select id from t where id between 2 and 4 order by id desc
select id from t where n between 5 and 25 and s like 't%'
select id from t where s like '%o%' order by id
select id from t where s not like '_o%' order by id
select id, case when n > 15 then 'big' when n is null then 'none' else 'small' end from t order by id
select id, case id when 1 then 'a' when 2 then 'b' end as letter from t order by id
select coalesce(n, 0), nullif(id, 2), greatest(id, n), least(id, n, 3) from t order by id
select id from t where n is distinct from 10 order by id
select id from t where k is true
select id from t where k is not true order by id
select upper(s), lower(s), length(s), substr(s, 2, 2) from t where id = 3
select c, length(c), c || '|' from t where c is not null order by id
select id from t where c = 'a'
select id from t where v > 'e' order by 1
select 1
select 1 + 1 as two, 'x' as letter, null as nothing, true
select 7 / 2, -7 / 2, 7 % 3, 7.0 / 2, 2 * 3.5
select 1::bigint, '12'::int + 1, 3.7::int, 'abc'::varchar(2), 'abc'::char(5)
select cast('2020-01-02 03:04:05' as timestamp)
select timestamp '2020-01-02 03:04:05.678'
select '2020-01-02 03:04:05+02'::timestamptz
select 1 where false
select 2 where 1 = 1
values (1, 'a'), (2, 'b')
values (3), (1), (2) order by 1
select * from generate_series(1, 5)
select g, g * g from generate_series(1, 3) as g
select i from generate_series(1, 10, 3) as x(i) where i > 2
select sum(g) from generate_series(1, 100) g
select g % 3 as r, count(*), min(g), max(g) from generate_series(1, 10) g group by r order by r
select t.id, x.id from t x order by 1
select x.id from t x where x.id < 3 order by x.id
select id as n, n as id from t order by n limit 2
select n from t order by n nulls first
select n from t order by n desc nulls last
select n from t order by n desc
select id from t order by n, id desc
select -n from t where n is not null order by -n
select count(distinct k), count(*) filter (where n > 5) from t
select max(id) from t where id > 100
select count(*) from t where id > 100
select min(n), id from t group by id order by id
update t set n = n + 1 where id <= 2 returning id, n
update t set s = 'x', v = default where id = 4 returning s, v
update t set (n, b) = (7, 8) where id = 3 returning n, b
update t set n = 1 where id = 1000
delete from t where id = 5 returning id
delete from t where n > 1000
select count(*) from t
select id from t where id = 2 for update
select id from t order by id limit 1 for share
insert into t (id) values (1)
insert into t (id) values (null)
insert into t (id, c) values (9, 'toolong')
insert into t (id, v) values (9, 'elevenchars')
insert into t (id, v) values (9, 'trailing blanks   ')
insert into t (id, n) values (9, 3000000000)
insert into t (id, n) values (9, 'abc')
insert into t (id, nope) values (9, 1)
insert into t (id, id) values (9, 1)
insert into t (id) values (9, 1)
insert into t (id, n) values (9)
insert into t values (9, 1, 2, 3, 4, 5, 6, true, 8)
select nope from t
select t2.id from t
select x.nope from t x
select t.id from t x
select * from nope
select id from t where nope = 1
select nope(1)
select id from t group by n
select id, count(*) from t
select count(*) from t where count(*) > 1
select count(count(*)) from t
select sum(s) from t
select 1 + 'a'
select 1 + true
select 'a' < 1
select id + s from t
select -s from t
select 1 / 0
select id from t order by 3
select id from t group by 5
select id from t order by nope
select id as a, n as a from t order by a
select distinct id from t order by n
select * 
select id from t where id
select id from t where s = 1
select id from t limit -1
select id from t limit 'x'
select case when 1 then 2 end
select case when true then 1 else 'a' end
select coalesce(1, 'a')
select 1 in (1, 'a')
select 2147483647 + 1
select 9223372036854775807 + 1
select 99999999999999999999
select 1.5e3, .5, 1e-3
select 'it''s', E'a\nb', 'a' 'b'
selec 1
select from where
select 1 from t where (id = 1
insert into t value (1)
update t set nope = 1
update t set n = 1, n = 2
update nope set a = 1
delete from nope
drop table nope
drop table if exists nope
drop index nope
create table t (a int)
create table u (a int, a int)
create table u (a nosuchtype)
create table u (a int primary key, b int primary key)
create table u (a int, primary key (nope))
create table u (a varchar(0))
create table u (a int default 'x')
create table u (a serial primary key, b int default 7 not null, c text default 'dflt', d timestamp default '2001-01-01', unique (b, c))
insert into u default values returning *
insert into u (b) values (8), (default) returning a, b, c
insert into u (b, c) values (7, 'dflt')
select a, b, c from u order by a
create unique index u_b on u (b)
create unique index u_a2 on u (a)
create index on u (c)
create index u_a2 on u (a)
create index u_x on u (nope)
create index u_x on nope (a)
alter table u add primary key (b)
alter table t add unique (n)
alter table t add constraint t_b_unique unique (b)
insert into t (id, b) values (10, 100)
alter table u add constraint bad unique (nope)
truncate u
select count(*) from u
truncate nope
truncate t, u
insert into t (id, n) select g, g % 7 from generate_series(1, 100) g
select n, count(*) from t group by n order by n
select sum(n) from t where id between 10 and 20
select id from t where n = 3 and id < 30 order by id
update t set n = n * 2 where id % 10 = 0
select id, n from t where id % 10 = 0 order by id
delete from t where id > 50
select count(*), sum(id) from t
drop table t, u
select 1 as "Weird Name", 2 as "a""b"
select 'a' like 'a', 'a' ilike 'A', 'abc' not like 'a_c', 'a%' like 'a\%', 'a%' like 'a#%' escape '#'
select true and null, true or null, not null::bool, null is null
select 1 = 1.0, 1 < 1.5, 'a' = 'a ', 'a'::char(3) = 'a '
select abs(-5), round(2.5), floor(-1.5), ceil(1.2), mod(7, 3), power(2, 3)
select length('häß'), upper('abc'), position('b' in 'abc'), substring('abcdef' from 2 for 3), trim('  x ')
select 'ä' || nope
set nosuchthing = 1
show nosuchthing
set work_mem = 'abc'
set statement_timeout = '-5'
set default_transaction_isolation = 'wrong'
set timezone = 'Nowhere/Land'
show server_version_num_x
execute nope
deallocate nope
prepare p as select $1::int + 1
prepare p as select 1
execute p(41)
execute p
execute p('x')
deallocate p
prepare q(int, text) as select $1, $2
execute q(1, 'z')
commit
rollback
savepoint s
release s
create table v (a int, b text)
select case a when 'x' then 1 end from v
select case a when b then 1 end from v
select case a when 1 then 2 when true then 3 end from v
select case b when a then nope end from v
select case when a then nope end from v
select case a when 1 then true else 2 end from v
select case a when nope then 1 when b then 2 end from v
select case 'a' when a then 1 end from v
select case when true then a when b then 1 end from v
select lower(b order by b) from v
select lower(distinct b) from v
select lower(b) filter (where a > 1) from v
select lower(b) filter (where a) from v
select lower(*) from v
select now(*) from v
select pg_catalog.lower(distinct b) from v
select lower(b) over () from v
select lower(a order by a) from v
select lower(distinct a) from v
select lower(b) within group (order by a) from v
select int4(distinct b) from v
select extract(year from a) from v
select extract(year from b) from v
select extract(nope from now())
select extract(year from 1)
select position(a in b) from v
select trim(a) from v
select substring(a from 1) from v
select a at time zone b from v
select pg_catalog.lower(a) from v
select pg_catalog.sum(b) from v
select sum(b) from v
drop table v
create table w (id int, a int, b bigint, c text, n numeric, f float8, p int)
insert into w values (1, 1, 10, 'a', 1.5, 1, 1), (2, 1, 20, 'b', 2.25, 2, 1), (3, 2, null, 'c', 3, null, 1), (4, 2, 40, null, 'NaN', 'NaN', 2), (5, null, 50, 'e', 5.000, 'infinity', 2), (6, 3, 60, 'f', null, '-infinity', null), (7, 3, 70, 'g', 7, 7.5, null)
select id, row_number() over (order by id desc), sum(a) over (partition by p), count(*) over () from w order by id
select id, rank() over (order by a), dense_rank() over (order by a nulls first), percent_rank() over (order by a), cume_dist() over (order by a) from w order by id
select id, lag(c) over (order by id), lead(c, 2) over (order by id), lag(a, 1, 7) over (order by id), lead(a, 1, 0.5) over (order by id), lag(c, a) over (order by id) from w order by id
select id, first_value(c) over w, last_value(c) over w, nth_value(c, 2) over w, ntile(3) over w from w window w as (order by id) order by id
select id, sum(n) over (order by id rows between 1 preceding and current row), avg(n) over (order by id rows 2 preceding), sum(n) over (order by id rows between 1 following and 2 following) from w order by id
select id, sum(f) over (order by id rows 1 preceding), avg(f) over (order by id rows between current row and unbounded following), sum(b) over (order by id rows between 2 preceding and 1 preceding) from w order by id
select id, sum(id) over (order by a range between 1 preceding and 1 following), sum(id) over (order by a desc range between 1 preceding and current row) from w order by id
select id, count(*) over (order by n range between 1.5 preceding and 2 following), count(*) over (order by f range between 1 preceding and 1 following), count(*) over (order by f desc nulls first range between 'inf' preceding and 1 following) from w order by id
select id, array_agg(id) over (order by a groups between 1 preceding and 1 following exclude current row), string_agg(c, ',') over (order by a, id groups between 1 following and 2 following) from w order by id
select id, array_agg(id) over (order by a, id rows between 2 preceding and 2 following exclude group), array_agg(id) over (order by a, id rows unbounded preceding exclude ties) from w order by id
select id, first_value(id) over (order by a groups unbounded preceding exclude group), last_value(id) over (order by a, id groups between unbounded preceding and 1 following exclude ties), nth_value(id, 2) over (order by id exclude current row) from w order by id
select id, count(*) filter (where a > 1) over (order by id), bool_and(a > 1) over (order by id rows 1 preceding), bool_or(a > 1) over (order by id rows 1 preceding), min(c) over (order by id rows 1 preceding) from w order by id
select a, sum(count(*)) over (order by a), rank() over (order by sum(b) desc) from w group by a order by a
select a, sum(sum(a)) over (partition by a % 2 order by max(id)) + 1 as x from w group by a having count(*) > 0 order by a
select distinct count(*) over (partition by a) from w order by 1
select distinct on (p) p, id, row_number() over (order by id desc) from w order by p, row_number() over (order by id desc)
select id from w order by row_number() over (order by id desc) limit 2
select * from (select id, row_number() over (partition by p order by id desc) r from w) s where r = 1 order by id
with s as (select id, lead(id) over (order by id) as next from w) select * from s where next - id > 0 order by id
select id, (select count(*) over () from w i where i.a = w.a limit 1), row_number() over (order by (select max(id) from w i where i.a = w.a), id) from w order by id
select id, sum(a) over (w rows 1 preceding), rank() over w, sum(a) over (v order by id) from w window v as (partition by p), w as (v order by a, id) order by id
select x, unnest(array[x, 10]), row_number() over (order by x desc) from generate_series(1, 2) x order by x, 2
select row_number() over (), rank() over (), ntile(2) over (), sum(1) over (), percent_rank() over (), cume_dist() over ()
select sum(a) over (order by a rows 1 preceding) from w where false
select ntile(null) over (), lag(1, null) over (), nth_value(1, null) over ()
select pg_typeof(row_number() over ()), pg_typeof(lag(1, 1, 2.5) over ()), pg_typeof(sum(1::bigint) over ()), pg_typeof(ntile(2) over ()), pg_typeof(cume_dist() over ()), pg_typeof(lag(array[1]) over ()), pg_typeof(lag('a', 1, 'b') over ())
select sum(x) over (order by x range 9223372036854775807 preceding), count(*) over (order by x rows between 9223372036854775807 preceding and 9223372036854775806 following) from (values (1::bigint), (2)) v (x) order by x
insert into w (id, a) select 10 + row_number() over (order by id), rank() over (order by a) from w where a = 2 returning id, a
delete from w where id > 10
select row_number(*) over ()
select sum(sum(a) over ()) from w
select lag(sum(a)) over () from w where sum(a) > 1
select nth_value(a) over () from w
select lag(a, 1, 'x') over () from w
select rank() from w
select count(*) over (order by c range 'x' preceding) from w
select row_number()
select rank(1) over ()
select rank(1)
select row_number() within group (order by 1) over ()
select row_number() filter (where true)
select row_number() filter (where true) over ()
select lag(a, 1, 'x'::text) over () from w
select lag(null) over () from w
select first_value('x') over () from w
select lag(a, 1::bigint) over () from w
select ntile(1.5) over () from w
select count(distinct a) over () from w
select count() over () from w
select sum(a order by a) over () from w
select sum(row_number() over ()) from w
select lag(row_number() over ()) over () from w
select a from w where row_number() over () = 1
select a from w group by row_number() over ()
select row_number() over () from w group by 1
select a from w group by a having row_number() over () = 1
select a from w order by row_number() over (order by row_number() over ())
select a from w limit row_number() over ()
select * from generate_series(1, row_number() over ()) x
select a from w join w t2 on row_number() over () = 1
insert into w values (row_number() over ())
insert into w (a) values (1) returning row_number() over ()
update w set a = row_number() over ()
create table x (a int default row_number() over ())
create table x (a int check (row_number() over () > 1))
select sum(a) filter (where row_number() over () > 1) from w
select sum(a) filter (where sum(a) > 1) over () from w
select sum(a) filter (where sum(a) > 1) from w
select sum(a) over w from w
select sum(a) over (w) from w
select sum(a) over w from w window w as (), w as ()
select sum(a) over (w partition by a) from w window w as (order by a)
select sum(a) over (w order by a) from w window w as (order by a)
select sum(a) over (w) from w window w as (rows unbounded preceding)
select sum(a) over (w order by a) from w window w as (rows unbounded preceding)
select sum(a) over (range 1 preceding) from w
select sum(a) over (order by a, b range 1 preceding) from w
select sum(a) over (order by a, a range 1 preceding) from w
select sum(a) over (groups 1 preceding) from w
select sum(a) over (order by c range 1 preceding) from w
select sum(a) over (order by c::varchar range '1' preceding) from w
select sum(a) over (order by a range 1.5 preceding) from w
select sum(a) over (order by a range 'x' preceding) from w
select sum(a) over (order by a range b preceding) from w
select sum(a) over (order by a rows b preceding) from w
select sum(a) over (order by a rows sum(b) preceding) from w
select sum(a) over (order by a rows c preceding) from w
select sum(a) over (order by a rows 'x'::text preceding) from w
select sum(a) over (order by a rows -1 preceding) from w
select sum(a) over (order by a rows null preceding) from w
select sum(a) over (order by a range -1 preceding) from w
select sum(a) over (order by a rows between current row and -1 following) from w
select lower(c) over () from w
select nosuch(c) over () from w
select a over () from w
select sum(a) over (partition by nosuch), alsonosuch from w
select a from w for update
select sum(sum(a)) over (order by sum(b)) from w
select a, sum(sum(a)) over () from w
select sum(a) over (order by n range 1.5::float8 preceding) from w
select sum(a) over (order by f range 1 preceding) from w
select unnest(array[1,2]), row_number() over () from w
select a from w union select a from w order by row_number() over ()
select distinct a from w order by row_number() over ()
select row_number() over w from w window w as (order by 1, a desc), w2 as (w)
select sum(a) over (rows between unbounded following and current row) from w
select sum(a) over (rows between current row and 1 preceding) from w
select ntile(0) over () from (values (1)) v
select nth_value(1, 0) over () from (values (1)) v
select rank() over (order by a) from w window w as (order by sum(b))
select a from w window w as (order by sum(b))
select a from w window w as (order by row_number() over ())
select exists (select row_number() over ())
select row_number() over (order by count(*)) from w
select sum(a) over (order by n range $1 preceding) from w
select rank() over (order by a range -1 preceding) from w
drop table w
