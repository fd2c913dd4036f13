// Columns of json: kept as given, taken apart, made of rows, compared by nobody.

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class JsonTest : public SqlTest {
 protected:
  JsonTest() {
    a_->Run(
        "create table j (id int primary key, d json default '{ }');"
        "insert into j values (1, '{\"a\": [1, 2.50, \"x\"], \"b\":null}'), (2, '\"t\"'), (3, "
        "null);"
        "insert into j (id) values (4)");
  }
  std::string Code(std::string_view sql) { return a_->Error(sql).substr(0, 5); }
};

TEST_F(JsonTest, KeepsTextsAsTheyWereGiven) {
  EXPECT_EQ(a_->Rows("select d from j where id in (2, 4) order by id"), "\"t\" { }");
  EXPECT_EQ(a_->Rows("select d -> 'a' -> 1, d -> 'a' ->> 2, d #>> '{a,-1}' from j where id = 1"),
            "2.50|x|x");
  EXPECT_EQ(a_->Rows("select json_typeof(d) from j order by id"), "object string <null> object");
  EXPECT_EQ(a_->Rows("select array_agg(d) from j where id > 1"), "{\"\\\"t\\\"\",NULL,\"{ }\"}");
}

TEST_F(JsonTest, RefusesWhatIsNoJsonWithDetailAndContext) {
  for (const char* sql : {"select '{\"a\" 1}'::json", "insert into j values (5, '{\"a\" 1}')"}) {
    EXPECT_EQ(FullError(sql).substr(0, 5), "22P02") << sql;
    EXPECT_NE(FullError(sql).find("Expected \":\", but found \"1\"."), std::string::npos) << sql;
  }
  EXPECT_EQ(Code("select repeat('[', 10000)::json"), "54001");
  EXPECT_EQ(a_->Rows("select length((repeat('[', 5000) || repeat(']', 5000))::json::text)"),
            "10000");
}

TEST_F(JsonTest, HasNoOrder) {
  for (const char* sql :
       {"select 1 from j where d = d", "select d from j group by d", "select d from j order by d",
        "select distinct d from j", "select d from j union select d from j", "select max(d) from j",
        "select count(distinct d) from j", "select json_agg(d order by d) from j",
        "select row_number() over (order by d) from j", "select greatest(d, d) from j",
        "select count(*) over (partition by d) from j", "select nullif(d, d) from j",
        "select 1 from j where d in (select d from j)", "select array[d] = array[d] from j"}) {
    EXPECT_EQ(Code(sql), "42883") << sql;
  }
  EXPECT_EQ(Code("create index on j (d)"), "42704");
  EXPECT_EQ(Code("create table k (d json unique)"), "42704");
  EXPECT_EQ(a_->Rows("select count(*) from (select d from j union all select d from j) u"), "8");
}

TEST_F(JsonTest, MakesJsonOfOtherValues) {
  EXPECT_EQ(a_->Rows("select json_agg(id) from j"), "[1, 2, 3, 4]");
  EXPECT_EQ(a_->Rows("select json_agg(distinct 12 / id order by 12 / id) from j"), "[3, 4, 6, 12]");
  EXPECT_EQ(a_->Rows("select json_agg(id) over (order by id) from j"),
            "[1] [1, 2] [1, 2, 3] [1, 2, 3, 4]");
  EXPECT_EQ(a_->Rows("select json_agg(id) from j where false"), "<null>");
  EXPECT_EQ(a_->Rows("select json_build_object('id', id, 'd', d) from j where id = 2"),
            "{\"id\" : 2, \"d\" : \"t\"}");
}

TEST_F(JsonTest, KeepsDefaultsAndViews) {
  a_->Run(
      "create table k (id int, d json default json_build_object('a', 1, 2, array[true]), "
      "t text default to_json('x\"'::text)::text)");
  a_->Run("insert into k (id) values (1)");
  EXPECT_EQ(a_->Rows("select d, t from k"), "{\"a\" : 1, \"2\" : [true]}|\"x\\\"\"");
  a_->Run("create view v as select d ->> 'a' as a, json_build_array(id, d) as b from k");
  EXPECT_EQ(a_->Rows("select * from v"), "1|[1, {\"a\" : 1, \"2\" : [true]}]");
}

}  // namespace
}  // namespace connbench::engine
