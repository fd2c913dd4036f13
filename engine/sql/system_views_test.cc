// The relations of pg_catalog: what psql asks for, what each shows, who may do what with them.
#include "engine/sql/system_views.h"

#include <gmock/gmock.h>

#include <set>

#include "engine/executor/types/type.h"
#include "engine/sql/testing/sql_test_base.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {
namespace {

class SystemViewsTest : public SqlTest {
 protected:
  void SetUp() override {
    a_->Run(
        "create table parent (id serial primary key, name varchar(10) not null default 'x');"
        "create table child (a int, b numeric(8,2), id int references parent(id), unique (a, b));"
        "create index child_b on child (b); create sequence counter increment 5");
  }
};

TEST_F(SystemViewsTest, NamesOidsAndColumnsAreUnique) {
  std::set<std::string_view> names;
  std::set<Oid> oids;
  for (const SystemView* view : AllSystemViews()) {
    EXPECT_TRUE(names.insert(view->name).second) << view->name;
    EXPECT_TRUE(oids.insert(view->oid).second) << view->name;
    EXPECT_LT(view->oid, kFirstUserOid) << view->name;
    std::set<std::string_view> columns;
    for (const SystemViewColumn& column : view->columns) {
      EXPECT_TRUE(columns.insert(column.name).second) << view->name << '.' << column.name;
      EXPECT_NE(GetType(column.type).oid, type_oid::kInvalid) << view->name << '.' << column.name;
    }
  }
}

TEST_F(SystemViewsTest, EachIsReadWholeSortedAndCounted) {
  for (const SystemView* view : AllSystemViews()) {
    const std::string name(view->name);
    EXPECT_EQ(a_->Rows("select * from " + name).find("ERROR"), std::string::npos) << name;
    EXPECT_EQ(a_->Error("select distinct * from pg_catalog." + name + " order by 1"), "ok") << name;
    EXPECT_EQ(a_->Error("select count(*) from " + name + " x, " + name + " y"), "ok") << name;
  }
}

// What psql 15 sends for \d: also \dt, \ds with other kinds.
constexpr std::string_view kListRelations =
    "SELECT n.nspname as \"Schema\", c.relname as \"Name\", CASE c.relkind WHEN 'r' THEN 'table' "
    "WHEN 'v' THEN 'view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' END as \"Type\", "
    "pg_catalog.pg_get_userbyid(c.relowner) as \"Owner\" "
    "FROM pg_catalog.pg_class c "
    "LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam "
    "WHERE c.relkind IN ('r','p','v','m','S','f','') AND n.nspname <> 'pg_catalog' "
    "AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema' "
    "AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2";

TEST_F(SystemViewsTest, ListsRelations) {
  EXPECT_EQ(a_->Rows(kListRelations),
            "public|child|table|unknown (OID=11) public|counter|sequence|unknown (OID=11) "
            "public|parent|table|unknown (OID=11) public|parent_id_seq|sequence|unknown (OID=11)");
  TestSession postgres(*engine_, {}, "postgres");
  postgres.Run("drop table child, parent; drop sequence counter; create table mine (a int)");
  EXPECT_EQ(a_->Rows(kListRelations), "public|mine|table|postgres");
}

TEST_F(SystemViewsTest, ListsIndexesWithTheirTables) {
  EXPECT_EQ(a_->Rows("SELECT n.nspname, c.relname, c2.relname FROM pg_catalog.pg_class c "
                     "LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                     "LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam "
                     "LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid "
                     "LEFT JOIN pg_catalog.pg_class c2 ON i.indrelid = c2.oid "
                     "WHERE c.relkind IN ('i','I','') AND n.nspname <> 'pg_catalog' ORDER BY 1,2"),
            "public|child_a_b_key|child public|child_b|child public|parent_pkey|parent");
  EXPECT_EQ(a_->Rows("select indexdef from pg_indexes where schemaname = 'public' order by 1"),
            "CREATE INDEX child_b ON public.child USING btree (b) "
            "CREATE UNIQUE INDEX child_a_b_key ON public.child USING btree (a, b) "
            "CREATE UNIQUE INDEX parent_pkey ON public.parent USING btree (id)");
  EXPECT_EQ(a_->Rows("select indkey, indnkeyatts, indisunique, indisprimary from pg_index "
                     "where indrelid = 'child'::regclass order by indexrelid"),
            "1 2|2|t|f 2|1|f|f");
}

TEST_F(SystemViewsTest, DescribesColumns) {
  EXPECT_EQ(
      a_->Rows("SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, "
               "pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) "
               "FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d "
               "ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef "
               "WHERE a.attrelid = 'parent'::regclass AND a.attnum > 0 AND NOT a.attisdropped "
               "ORDER BY a.attnum"),
      "id|integer|t|nextval('parent_id_seq'::regclass) "
      "name|character varying(10)|t|'x'::character varying");
  EXPECT_EQ(a_->Rows("select attname, atttypid::regtype from pg_attribute where attrelid = "
                     "'pg_am'::regclass order by attnum"),
            "oid|oid amname|name amhandler|regproc amtype|\"char\"");
}

TEST_F(SystemViewsTest, DescribesDefaults) {
  const auto shown = [this](const std::string& column) {
    a_->Run("create table d (c " + column + ")");
    const std::string text = a_->Rows(
        "select pg_get_expr(adbin, adrelid, true) from pg_attrdef where adrelid = 'd'::regclass");
    a_->Run("drop table d");
    return text;
  };
  EXPECT_EQ(shown("int default 5"), "5");
  EXPECT_EQ(shown("int default -5"), "'-5'::integer");
  EXPECT_EQ(shown("bigint default 5"), "5");
  EXPECT_EQ(shown("numeric(5,1) default 1.5"), "1.5");
  EXPECT_EQ(shown("bool default true"), "true");
  EXPECT_EQ(shown("text default 'it''s'"), "'it''s'::text");
  EXPECT_EQ(shown("char(3) default ''"), "''::bpchar");
  EXPECT_EQ(shown("timestamptz default now()"), "now()");
  EXPECT_EQ(shown("double precision default random() * 5"), "random() * '5'::double precision");
  EXPECT_EQ(shown("bigint default nextval('counter')"), "nextval('counter'::regclass)");
  EXPECT_EQ(shown("bigint default nextval('counter'::regclass)"), "nextval('counter'::regclass)");
  EXPECT_EQ(shown("int generated always as identity"), "");
}

TEST_F(SystemViewsTest, DescribesConstraints) {
  EXPECT_EQ(a_->Rows("select conname, contype, conkey, confkey, convalidated, "
                     "pg_get_constraintdef(oid, true) from pg_constraint order by 1"),
            "child_a_b_key|u|{1,2}|<null>|t|UNIQUE (a, b) "
            "child_id_fkey|f|{3}|{1}|t|FOREIGN KEY (id) REFERENCES parent(id) "
            "parent_pkey|p|{1}|<null>|t|PRIMARY KEY (id)");
}

TEST_F(SystemViewsTest, DescribesSequences) {
  EXPECT_EQ(a_->Rows("select seqtypid::regtype, seqstart, seqincrement, seqcycle from pg_sequence "
                     "where seqrelid = 'counter'::regclass"),
            "bigint|1|5|f");
  EXPECT_EQ(a_->Rows("select last_value from pg_sequences where sequencename = 'counter'"),
            "<null>");
  EXPECT_EQ(a_->Rows("select nextval('counter'::regclass), nextval('counter')"), "1|6");
  EXPECT_EQ(a_->Rows("select last_value from pg_sequences where sequencename = 'counter'"), "6");
  EXPECT_EQ(a_->Rows("select refobjid::regclass, refobjsubid, deptype from pg_depend "
                     "where objid = 'parent_id_seq'::regclass"),
            "parent|1|a");
}

TEST_F(SystemViewsTest, ASnapshotSeesItsOwnCatalog) {
  a_->Run("begin isolation level repeatable read; select 1");
  EXPECT_EQ(a_->Rows("select count(*) from pg_class where relname = 'later'"), "0");
  b_->Run("create table later (a int)");
  EXPECT_EQ(a_->Rows("select count(*) from pg_class where relname = 'later'"), "0");
  a_->Run("commit");
  EXPECT_EQ(a_->Rows("select count(*) from pg_class where relname = 'later'"), "1");
  a_->Run("begin; create table own (a int)");
  EXPECT_EQ(a_->Rows("select relname from pg_class where relname in ('own')"), "own");
  EXPECT_EQ(b_->Rows("select relname from pg_class where relname in ('own')"), "");
  a_->Run("rollback");
}

TEST_F(SystemViewsTest, ShowsSessions) {
  b_->Run("begin");
  EXPECT_EQ(a_->Rows("select state, wait_event_type, wait_event from pg_stat_activity "
                     "order by pid = pg_backend_pid() desc"),
            "active|<null>|<null> idle in transaction|Client|ClientRead");
  b_->Run("rollback");
  TestSession postgres(*engine_, {}, "postgres");
  EXPECT_EQ(a_->Rows("select usename, state, query from pg_stat_activity "
                     "where usename is not null"),
            "postgres|<null>|<insufficient privilege>");
  EXPECT_EQ(postgres.Rows("select usename, state, query, backend_type, datname = "
                          "current_database() from pg_stat_activity where pid = pg_backend_pid()"),
            "postgres|active|select usename, state, query, backend_type, datname = "
            "current_database() from pg_stat_activity where pid = pg_backend_pid()|client "
            "backend|t");
}

TEST_F(SystemViewsTest, ShowsWhatASessionRunsOrRanLast) {
  const std::string other = " from pg_stat_activity where pid <> pg_backend_pid()";
  EXPECT_EQ(a_->Rows("select query" + other), "");
  b_->Run("select 1; select 2");
  EXPECT_EQ(a_->Rows("select query, state, xact_start" + other), "select 1; select 2|idle|<null>");
  EXPECT_EQ(a_->Rows("select query_start <= state_change, state_change <= now()" + other), "t|t");
  b_->Run("begin");
  b_->Run("select 3");
  EXPECT_EQ(a_->Rows("select query, state" + other), "select 3|idle in transaction");
  EXPECT_EQ(a_->Rows("select backend_start <= xact_start or backend_start is null, xact_start <= "
                     "query_start, query_start <= state_change, state_change <= now()" +
                     other),
            "t|t|t|t");
  EXPECT_NE(b_->Error("select nothing"), "ok");
  EXPECT_EQ(a_->Rows("select query, state, xact_start is null" + other),
            "select nothing|idle in transaction (aborted)|f");
  b_->Run("rollback");
  EXPECT_EQ(a_->Rows("select query, state, xact_start" + other), "rollback|idle|<null>");
  EXPECT_NE(b_->Error("nonsense"), "ok");
  EXPECT_EQ(a_->Rows("select query" + other), "nonsense");
  const std::string own =
      "select query, query_start = now() from pg_stat_activity where pid = "
      "pg_backend_pid()";
  EXPECT_EQ(a_->Rows(own), own + "|t");
}

TEST_F(SystemViewsTest, ShowsThePreparedStatementThatRunsLast) {
  const std::string other = "select query from pg_stat_activity where pid <> pg_backend_pid()";
  Session& session = b_->session();
  EXPECT_TRUE(session.Parse("one", "select 1", {}, b_->sink()).ok());
  EXPECT_TRUE(session.Parse("two", "select 2", {}, b_->sink()).ok());
  EXPECT_EQ(a_->Rows(other), "select 2");
  b_->Run("select 3");
  for (const char* name : {"one", "one", "two", "one"}) {
    EXPECT_TRUE(session.Bind("", name, {}, {}, {}).ok());
    EXPECT_TRUE(session.Execute("", 0, b_->sink()).ok());
    EXPECT_TRUE(session.Sync(b_->sink()).ok());
    EXPECT_EQ(a_->Rows(other), std::string("select ") + (name == std::string("one") ? "1" : "2"));
  }
}

TEST_F(SystemViewsTest, AStatementThatIsTooLongIsCut) {
  EXPECT_EQ(a_->Rows("show track_activity_query_size"), "1kB");
  b_->Run("select '" + std::string(3000, 'x') + "'");
  EXPECT_EQ(a_->Rows("select octet_length(query), left(query, 9) from pg_stat_activity where pid "
                     "<> pg_backend_pid()"),
            "1023|select 'x");
}

TEST_F(SystemViewsTest, HasNoLogInMemory) {
  EXPECT_EQ(a_->Rows("select wal_records, wal_bytes, wal_sync, stats_reset from pg_stat_wal"),
            "0|0|0|<null>");
  EXPECT_EQ(a_->Rows("select checkpoints_req, buffers_checkpoint, buffers_alloc from "
                     "pg_stat_bgwriter"),
            "0|0|<null>");
}

TEST_F(SystemViewsTest, ShowsLocks) {
  b_->Run("begin; lock table child in share mode; insert into parent values (1)");
  EXPECT_EQ(a_->Rows("select relation::regclass, mode, granted, fastpath from pg_locks "
                     "where pid <> pg_backend_pid() and locktype = 'relation' order by mode"),
            "parent|RowExclusiveLock|t|t child|ShareLock|t|f");
  EXPECT_EQ(a_->Rows("select l.mode, l.granted, l.transactionid = a.backend_xid from pg_locks l "
                     "join pg_stat_activity a using (pid) where l.locktype = 'transactionid'"),
            "ExclusiveLock|t|t");
  b_->Run("rollback");
}

TEST_F(SystemViewsTest, ShowsSettings) {
  a_->Run("set work_mem = '8MB'");
  EXPECT_EQ(a_->Rows("select setting, unit, vartype, context, min_val from pg_settings "
                     "where name = 'work_mem'"),
            "8192|kB|integer|user|64");
  EXPECT_EQ(a_->Rows("select setting, enumvals from pg_settings where name = 'bytea_output'"),
            "hex|{hex,escape}");
}

TEST_F(SystemViewsTest, PasswordsAreHidden) {
  TestSession postgres(*engine_, {}, "postgres");
  postgres.Run("create role app login password 'secret'");
  EXPECT_EQ(a_->Rows("select rolname, rolcanlogin, rolpassword from pg_roles order by 1"),
            "app|t|******** postgres|t|********");
  EXPECT_EQ(a_->Error("select rolpassword from pg_authid").substr(0, 5), "42501");
}

TEST_F(SystemViewsTest, NobodyWrites) {
  TestSession postgres(*engine_, {}, "postgres");
  for (const char* sql :
       {"delete from pg_class", "insert into pg_class (relname) values ('x')",
        "update pg_catalog.pg_class set relname = 'x'", "truncate pg_class", "drop table pg_class",
        "alter table pg_class alter relname set not null", "create index on pg_class (relname)",
        "grant insert on pg_class to public"}) {
    EXPECT_THAT(postgres.Error(sql),
                testing::AllOf(testing::StartsWith("42501"),
                               testing::EndsWith("permission denied: \"pg_class\" is a system "
                                                 "catalog")))
        << sql;
  }
  EXPECT_EQ(postgres.Error("delete from pg_roles"), "42809 13 \"pg_roles\" is not a table");
  EXPECT_EQ(postgres.Error("create table pg_catalog.x (a int)"),
            "42501 0 permission denied to create \"pg_catalog.x\"");
}

TEST_F(SystemViewsTest, ATableMayHaveACatalogsName) {
  a_->Run("create table pg_class (mine int); insert into public.pg_class values (7)");
  EXPECT_EQ(a_->Rows("select mine from public.pg_class"), "7");
  EXPECT_EQ(a_->Error("select mine from pg_class").substr(0, 5), "42703");
  EXPECT_EQ(a_->Rows("select pg_table_is_visible(oid), oid::regclass from pg_catalog.pg_class "
                     "where relname = 'pg_class' order by oid"),
            "t|pg_class f|public.pg_class");
  EXPECT_EQ(a_->Rows("select 'pg_class'::regclass::oid"), "1259");
  EXPECT_EQ(a_->Error("drop table public.pg_class"), "ok");
}

TEST_F(SystemViewsTest, RegclassIsANameAndANumber) {
  EXPECT_EQ(a_->Rows("select '1259'::regclass, 'pg_catalog.pg_class'::regclass, 0::regclass, "
                     "99999::regclass, '-'::regclass"),
            "pg_class|pg_class|-|99999|-");
  EXPECT_EQ(a_->Rows("select to_regclass('nope'), to_regclass('public.child') = 'child'::regclass"),
            "<null>|t");
  EXPECT_EQ(a_->Error("select 'nope'::regclass"), "42P01 0 relation \"nope\" does not exist");
  EXPECT_EQ(a_->Error("select ''::regclass"), "42602 0 invalid name syntax");
  EXPECT_EQ(a_->Extended("select $1::regclass::text", {"child"}), "child\nSELECT 1");
}

TEST_F(SystemViewsTest, TypesOfColumnsAreKnownByName) {
  EXPECT_EQ(a_->Rows("select distinct t.typname from pg_attribute a left join pg_type t "
                     "on t.oid = a.atttypid where t.oid is null"),
            "");
  EXPECT_EQ(a_->Rows("select typname, typelem::regtype, typarray::regtype from pg_type "
                     "where typname in ('text', '_text', 'int2vector') order by 1"),
            "_text|text|- int2vector|smallint|- text|-|text[]");
  for (const char* sql :
       {"create table x (a _text)", "create table x (a text[])", "select null::int2vector",
        "create table x (a xid)", "create table x (a int[])", "select '{}'::timetz[]"}) {
    EXPECT_EQ(a_->Error(sql).substr(0, 5), "0A000") << sql;
  }
}

// As far as psql's queries need them.
TEST_F(SystemViewsTest, Arrays) {
  EXPECT_EQ(
      a_->Rows("select '{a,\"b c\", null,\"NULL\"}'::text[], '{ 1 ,02}'::int2[], '{}'::oid[]"),
      "{a,\"b c\",NULL,\"NULL\"}|{1,2}|{}");
  EXPECT_EQ(a_->Rows("select 2::int2 = any('{1,2}'::int2[]), 'x' = any('{a}'::text[]), "
                     "'x' = any('{a,null}'::text[]), 'x' <> all('{a}'::text[]), "
                     "'{1}'::oid[] = '{01}'"),
            "t|f|<null>|t|t");
  EXPECT_EQ(a_->Rows("select ('{a,b}'::text[])[2], ('{a}'::text[])[0], "
                     "array_upper('{5,6}'::int2[], 1), array_to_string('{a,null,b}'::text[], '-'), "
                     "array_to_string('{a,null,b}'::text[], '-', '?')"),
            "b|<null>|2|a-b|a-?-b");
  EXPECT_EQ(a_->Rows("select indkey[0], indkey::int2[] from pg_index where indrelid = "
                     "'parent'::regclass"),
            "1|[0:0]={1}");
  EXPECT_EQ(a_->Error("select '{a'::text[]"), "22P02 8 malformed array literal: \"{a\"");
  EXPECT_EQ(a_->Error("select '{{a}}'::text[]").substr(0, 5), "0A000");
  EXPECT_EQ(a_->Error("select '{x}'::int2[]"),
            "22P02 8 invalid input syntax for type smallint: \"x\"");
  EXPECT_EQ(a_->Error("select 1 = any(2)"),
            "42809 10 op ANY/ALL (array) requires array on right side");
}

// What psql 15 asks of a table whose catalogs are empty here.
TEST_F(SystemViewsTest, NoStatisticsAndInheritance) {
  EXPECT_EQ(a_->Rows("SELECT oid, stxrelid::pg_catalog.regclass, "
                     "stxnamespace::pg_catalog.regnamespace::pg_catalog.text AS nsp, stxname, "
                     "pg_catalog.pg_get_statisticsobjdef_columns(oid) AS columns, "
                     "'d' = any(stxkind) AS ndist_enabled, stxstattarget "
                     "FROM pg_catalog.pg_statistic_ext WHERE stxrelid = '16384' "
                     "ORDER BY nsp, stxname"),
            "");
  EXPECT_EQ(a_->Rows("SELECT c.oid::pg_catalog.regclass, c.relkind, inhdetachpending, "
                     "pg_catalog.pg_get_expr(c.relpartbound, c.oid) "
                     "FROM pg_catalog.pg_class c, pg_catalog.pg_inherits i "
                     "WHERE c.oid = i.inhrelid AND i.inhparent = '16384' ORDER BY "
                     "pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', "
                     "c.oid::pg_catalog.regclass::pg_catalog.text"),
            "");
}

TEST_F(SystemViewsTest, SizesAndOtherFunctions) {
  EXPECT_EQ(a_->Rows("select pg_size_pretty(0), pg_size_pretty(10239), pg_size_pretty(10240), "
                     "pg_size_pretty(10485247::int8), pg_size_pretty(-20971520::int8)"),
            "0 bytes|10239 bytes|10 kB|10239 kB|-20 MB");
  a_->Run("insert into child values (1, 2, 3)");
  EXPECT_EQ(a_->Rows("select pg_table_size('child') > 0, pg_total_relation_size('child') > "
                     "pg_relation_size('child'), pg_relation_size(99999::oid)"),
            "t|t|<null>");
  EXPECT_EQ(a_->Rows("select pg_encoding_to_char(6), obj_description('child'::regclass, "
                     "'pg_class'), current_schemas(true), array_to_string(current_schemas(false), "
                     "'+')"),
            "UTF8|<null>|{pg_catalog,public}|public");
}

}  // namespace
}  // namespace connbench::engine
