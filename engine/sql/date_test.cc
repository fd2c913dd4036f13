// Columns of date, bytea and uuid: stored, indexed, joined, compared with timestamps.

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class DateTest : public SqlTest {
 protected:
  DateTest() {
    a_->Run(
        "create table d (id int primary key, d date unique, t timestamp, u uuid, b bytea);"
        "create index on d (u); create index on d (b);"
        "insert into d values"
        " (1, '2020-01-01', '2020-01-01', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00ff'),"
        " (2, '2019-05-05', '2019-05-05 12:00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', 'abc'),"
        " (3, null, null, null, null)");
  }
};

TEST_F(DateTest, ComparesDaysWithMicroseconds) {
  EXPECT_EQ(a_->Rows("select id from d where d > timestamp '2019-06-01'"), "1");
  EXPECT_EQ(a_->Rows("select id from d where timestamp '2019-06-01' > d"), "2");
  EXPECT_EQ(a_->Rows("select id from d where d = t"), "1");
  EXPECT_EQ(a_->Rows("select x.id, y.id from d x join d y on x.d = y.t"), "1|1");
  EXPECT_EQ(a_->Rows("select id from d where d in (select t from d)"), "1");
  EXPECT_EQ(a_->Rows("select id from d where d = any (array(select t from d))"), "1");
  EXPECT_EQ(a_->Rows("select id from d where (d, id) < (timestamp '2019-05-05', 3)"), "2");
}

TEST_F(DateTest, FindsValuesByIndex) {
  a_->Run("set enable_seqscan = off");
  EXPECT_EQ(a_->Rows("select id from d where d = '2020-01-01'"), "1");
  EXPECT_EQ(a_->Rows("select id from d where d between '2019-01-01' and '2019-12-31'"), "2");
  EXPECT_EQ(a_->Rows("select id from d where u = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12'"), "2");
  EXPECT_EQ(a_->Rows("select id from d where b = '\\x00ff'"), "1");
  EXPECT_EQ(a_->Rows("select id from d where b >= '\\x00' order by b"), "1 2");
  EXPECT_EQ(a_->Rows("select id from d order by d desc"), "3 1 2");
  EXPECT_EQ(a_->Rows("select min(d), max(d), count(distinct b) from d"), "2019-05-05|2020-01-01|2");
  EXPECT_EQ(a_->Error("insert into d values (4, '2020-01-01')").substr(0, 5), "23505");
}

TEST_F(DateTest, KeepsDefaultsAndChecks) {
  a_->Run(
      "create table e (id int, d date default current_date, u uuid default gen_random_uuid(), "
      "b bytea default '\\x01', check (d > '2000-01-01'))");
  a_->Run("insert into e (id) values (1), (2)");
  EXPECT_EQ(a_->Rows("select d = current_date, b from e"), "t|\\x01 t|\\x01");
  EXPECT_EQ(a_->Rows("select count(distinct u) from e"), "2");
  EXPECT_EQ(a_->Error("insert into e values (3, '1999-12-31')").substr(0, 5), "23514");
}

TEST_F(DateTest, BreaksLinesOfBase64WhereTheyAreFull) {
  const auto encoded = [&](int bytes) {
    return a_->Rows("select length(encode(repeat('a', " + std::to_string(bytes) +
                    ")::bytea, 'base64'))");
  };
  EXPECT_EQ(encoded(54), "72");
  EXPECT_EQ(encoded(55), "76");  // ends in padding: no line break
  EXPECT_EQ(encoded(57), "77");
  EXPECT_EQ(encoded(112), "153");
  EXPECT_EQ(encoded(114), "154");
  EXPECT_EQ(a_->Rows("select count(*) from generate_series(0, 400) n where "
                     "decode(encode(repeat('b', n)::bytea, 'base64'), 'base64') <> "
                     "repeat('b', n)::bytea"),
            "0");
}

TEST_F(DateTest, NamesTheYearOfABadDate) {
  EXPECT_EQ(a_->Error("select make_date(-44, 2, 30)"),
            "22008 0 date field value out of range: -43-02-30");
  EXPECT_EQ(a_->Error("select make_date(0, 2, 1)"),
            "22008 0 date field value out of range: 0-02-01");
  EXPECT_EQ(a_->Error("select make_date(-4800, 2, 1)"), "22008 0 date out of range: -4799-02-01");
}

}  // namespace
}  // namespace connbench::engine
