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
