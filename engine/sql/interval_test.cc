// Columns of interval and time: stored, indexed, copied, in views; IntervalStyle; series of times.

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class IntervalTest : public SqlTest {
 protected:
  IntervalTest() {
    a_->Run(
        "create table d (id int primary key, i interval unique, t time, p interval(2), "
        "y interval year to month, s time(1));"
        "create index on d (t);"
        "insert into d values"
        " (1, '1 mon', '12:00', '1.555 s', '14 mons 3 days', '00:00:00.17'),"
        " (2, '-1 day', '04:05:06.7', '-1.555 s', '1 year', '23:59:59.96'),"
        " (3, '1 day 2 hours', '24:00', '0', null, '01:00'),"
        " (4, null, null, null, null, null)");
  }
};

TEST_F(IntervalTest, StoresValuesAndFitsThemToTheirTypes) {
  EXPECT_EQ(a_->Rows("select i, t from d order by id"),
            "1 mon|12:00:00 -1 days|04:05:06.7 1 day 02:00:00|24:00:00 <null>|<null>");
  EXPECT_EQ(a_->Rows("select p, y, s from d order by id"),
            "00:00:01.56|1 year 2 mons|00:00:00.2 -00:00:01.56|1 year|24:00:00 "
            "00:00:00|<null>|01:00:00 <null>|<null>|<null>");
  EXPECT_EQ(a_->Rows("select format_type(atttypid, atttypmod) from pg_attribute "
                     "where attrelid = 'd'::regclass order by attnum"),
            "integer interval time without time zone interval(2) interval year to month "
            "time(1) without time zone");
}

TEST_F(IntervalTest, FindsValuesByIndex) {
  a_->Run("set enable_seqscan = off");
  EXPECT_EQ(a_->Rows("select id from d where i = '30 days'"), "1");
  EXPECT_EQ(a_->Rows("select id from d where i < '1 day'"), "2");
  EXPECT_EQ(a_->Rows("select id from d where i = time '01:00' + interval '25:00'"), "");
  EXPECT_EQ(a_->Rows("select id from d where i = any ('{26:00, 1 mon}') order by id"), "1 3");
  EXPECT_EQ(a_->Rows("select id from d order by i desc"), "4 1 3 2");
  EXPECT_EQ(a_->Rows("select id from d where t between '12:00' and '24:00' order by t"), "1 3");
  EXPECT_EQ(a_->Error("insert into d values (5, '30 days')").substr(0, 5), "23505");
}

TEST_F(IntervalTest, AggregatesGroupsAndJoins) {
  EXPECT_EQ(a_->Rows("select sum(i), avg(i), min(i), max(i), min(t), max(t) from d"),
            "1 mon 02:00:00|10 days 00:40:00|-1 days|1 mon|04:05:06.7|24:00:00");
  a_->Run("create table e (i interval); insert into e values ('24:00'), ('1 day'), ('1 mon')");
  EXPECT_EQ(a_->Rows("select i, count(*) from e group by i order by i"), "24:00:00|2 1 mon|1");
  EXPECT_EQ(a_->Rows("select count(distinct i) from e"), "2");
  EXPECT_EQ(a_->Rows("select count(*) from e x join e y on x.i = y.i"), "5");
  EXPECT_EQ(a_->Rows("select sum(i) over (order by id rows 1 preceding) from d where id < 4"),
            "1 mon 1 mon -1 days 02:00:00");
  EXPECT_EQ(a_->Error("select sum(x) from (values ('2147483647 days'::interval), ('1 day')) v (x)"),
            "22008 0 interval out of range");
}

TEST_F(IntervalTest, KeepsDefaultsChecksAndViews) {
  a_->Run(
      "create table f (id int, i interval default '1 day', j interval day default '25:00', "
      "t time default '12:00', u timestamp default localtimestamp + interval '1 year', "
      "check (i < '1 year'))");
  a_->Run("insert into f (id) values (1)");
  EXPECT_EQ(a_->Rows("select i, j, t, u > now() from f"), "1 day|00:00:00|12:00:00|t");
  EXPECT_EQ(a_->Error("insert into f values (2, '12 mons')").substr(0, 5), "23514");
  a_->Run("create view v as select id, i * 2 as twice, interval '1 day' + i as next from f");
  EXPECT_EQ(a_->Rows("select * from v"), "1|2 days|2 days");
  // What a literal means does not follow the setting of who reads the view.
  a_->Run("create view w as select interval '-1 day 2 hours' as i");
  EXPECT_EQ(a_->Rows("select * from w"), "-1 days +02:00:00");
  a_->Run("set intervalstyle = sql_standard");
  EXPECT_EQ(a_->Rows("select i = '-22:00' from w"), "t");
}

TEST_F(IntervalTest, PrintsAndReadsInTheSessionsStyle) {
  const std::string all = "select i from d where i is not null order by id";
  a_->Run("set intervalstyle = postgres_verbose");
  EXPECT_EQ(a_->Rows(all), "@ 1 mon @ 1 day ago @ 1 day 2 hours");
  a_->Run("set intervalstyle = iso_8601");
  EXPECT_EQ(a_->Rows(all), "P1M P-1D P1DT2H");
  EXPECT_EQ(a_->Rows("select i::text, array[i] from d where id = 1"), "P1M|{P1M}");
  a_->Run("set intervalstyle = sql_standard");
  EXPECT_EQ(a_->Rows(all), "0-1 -1 0:00:00 1 2:00:00");
  EXPECT_EQ(a_->Rows("select interval '-1 day 2 hours'"), "-1 2:00:00");
  EXPECT_EQ(a_->Rows("select interval '-1 day +2 hours'"), "+0-0 -1 +2:00:00");
  a_->Run("reset intervalstyle");
  EXPECT_EQ(a_->Rows("select interval '-1 day 2 hours'"), "-1 days +02:00:00");
}

TEST_F(IntervalTest, MakesSeriesOfTimes) {
  EXPECT_EQ(a_->Rows("select d::date from generate_series(timestamp '2024-01-31', '2024-04-30', "
                     "'1 month') d"),
            "2024-01-31 2024-02-29 2024-03-29 2024-04-29");
  EXPECT_EQ(a_->Rows("select count(*) from generate_series(now(), now() - interval '1 day', "
                     "'-1 hour')"),
            "25");
  EXPECT_EQ(a_->Rows("select count(*) from generate_series(date '2024-01-01', '2024-01-03', "
                     "'12:00')"),
            "5");
  EXPECT_EQ(a_->Error("select * from generate_series(now(), now(), '1 mon -30 days')"),
            "22023 0 step size cannot equal zero");
  EXPECT_EQ(a_->Error("select * from generate_series(timestamp '294276-12-31', 'infinity', "
                      "'1 day')"),
            "22008 0 timestamp out of range");
  EXPECT_EQ(a_->Error("select * from generate_series('a'::text, 'b')").substr(0, 5), "42883");
}

}  // namespace
}  // namespace connbench::engine
