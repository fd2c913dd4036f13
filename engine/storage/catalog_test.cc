// The catalog: names, versions, transactional changes.
#include "engine/storage/catalog.h"

#include <atomic>
#include <thread>
#include <vector>

#include "engine/storage/integrity_check.h"
#include "engine/storage/testing/storage_test_base.h"

namespace connbench::engine {
namespace {

RelationInfo TableDefinition(std::string name) {
  RelationInfo definition;
  definition.name = std::move(name);
  definition.columns = {
      {.name = "id", .type_oid = 23, .not_null = true, .default_sql = ""},
      {.name = "text", .type_oid = 1043, .type_modifier = 24, .default_sql = "'none'"}};
  return definition;
}

class CatalogTest : public testing::Test {
 protected:
  CatalogTest()
      : a_(world_, 1), b_(world_, 2), catalog_a_(world_.storage()), catalog_b_(world_.storage()) {}

  RelationRef Create(const std::string& name) {
    auto table = catalog_a_.CreateTable(a_.tx(), TableDefinition(name));
    EXPECT_TRUE(Ok(table));
    return table.value();
  }
  RelationRef CreateIndex(const RelationRef& table, const std::string& name) {
    auto changed = catalog_a_.CreateIndex(
        a_.tx(), table, {.name = name, .unique = true, .primary = true, .key_columns = {0}});
    EXPECT_TRUE(Ok(changed));
    return changed.value();
  }
  static RelationRef Find(Catalog& catalog, TestSession& session, const std::string& name) {
    auto found = catalog.FindIfExists(session.tx(), name);
    EXPECT_TRUE(Ok(found));
    return found.value();
  }
  // In a transaction of its own.
  RelationRef FindByOther(const std::string& name) {
    b_.Begin();
    RelationRef found = Find(catalog_b_, b_, name);
    b_.Commit();
    return found;
  }
  uint32_t free_frames() { return world_.storage().pool().free_frames(); }

  StorageWorld world_;
  TestSession a_;
  TestSession b_;
  Catalog catalog_a_;
  Catalog catalog_b_;
};

TEST_F(CatalogTest, ATableIsItsCreatorsUntilItCommits) {
  a_.Begin();
  const RelationRef table = Create("t");
  EXPECT_EQ(Find(catalog_a_, a_, "t"), table);
  EXPECT_EQ(FindByOther("t"), nullptr);
  a_.Commit();
  const RelationRef seen = FindByOther("t");
  ASSERT_NE(seen, nullptr);
  EXPECT_EQ(seen->oid, table->oid);
  ASSERT_EQ(seen->columns.size(), 2u);
  EXPECT_EQ(seen->columns[1].name, "text");
  EXPECT_EQ(seen->columns[1].type_modifier, 24);
  EXPECT_EQ(seen->columns[1].default_sql, "'none'");
  EXPECT_TRUE(seen->columns[0].not_null);
  EXPECT_EQ(seen->FindColumn("text"), 1);
  EXPECT_EQ(FindByOther("t"), seen) << "nothing changed: the same object";
  EXPECT_EQ(FindByOther("tt"), nullptr);
}

TEST_F(CatalogTest, RollbackUndoesCreateAndGivesPagesBack) {
  const uint32_t before = free_frames();
  a_.Begin();
  const RelationRef table = Create("t");
  CreateIndex(table, "t_pkey");
  Heap heap(world_.storage(), table->storage);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Ok(heap.Insert(a_.tx(), std::string(1000, 'x'))));
  EXPECT_LT(free_frames(), before - 10);
  a_.Rollback();
  EXPECT_GE(free_frames() + 1, before) << "but for the system heap's first page";
  a_.Begin();
  EXPECT_EQ(Find(catalog_a_, a_, "t"), nullptr);
  EXPECT_EQ(Find(catalog_a_, a_, "t_pkey"), nullptr);
  EXPECT_EQ(world_.storage().Find(table->storage), nullptr);
  Create("t");
}

TEST_F(CatalogTest, RollbackToASavepointUndoesWhatCameAfterIt) {
  a_.Begin();
  Create("before");
  a_.tx().PushSavepoint();
  const RelationRef after = Create("after");
  ASSERT_TRUE(Ok(catalog_a_.Drop(a_.tx(), Find(catalog_a_, a_, "before"))));
  EXPECT_EQ(Find(catalog_a_, a_, "before"), nullptr);
  a_.tx().RollbackToSavepoint(1);
  EXPECT_NE(Find(catalog_a_, a_, "before"), nullptr);
  EXPECT_EQ(Find(catalog_a_, a_, "after"), nullptr);
  EXPECT_EQ(world_.storage().Find(after->storage), nullptr);
  a_.Commit();
  EXPECT_NE(FindByOther("before"), nullptr);
}

TEST_F(CatalogTest, DropTakesIndexesAndOwnedSequencesAlongAtCommit) {
  a_.Begin();
  auto sequence = catalog_a_.CreateSequence(a_.tx(), "t_id_seq", {});
  ASSERT_TRUE(Ok(sequence));
  RelationInfo definition = TableDefinition("t");
  definition.columns[0].owned_sequence = sequence.value()->oid;
  auto table = catalog_a_.CreateTable(a_.tx(), definition);
  ASSERT_TRUE(Ok(table));
  const RelationRef with_index = CreateIndex(table.value(), "t_pkey");
  a_.Commit();
  ASSERT_NE(FindByOther("t_pkey"), nullptr);
  EXPECT_EQ(FindByOther("t_pkey")->storage, with_index->indexes[0].storage);

  a_.Begin();
  ASSERT_TRUE(Ok(catalog_a_.Drop(a_.tx(), with_index)));
  EXPECT_EQ(Find(catalog_a_, a_, "t"), nullptr);
  EXPECT_NE(FindByOther("t"), nullptr);
  a_.Rollback();
  a_.Begin();
  EXPECT_NE(Find(catalog_a_, a_, "t"), nullptr);
  ASSERT_TRUE(Ok(catalog_a_.Drop(a_.tx(), Find(catalog_a_, a_, "t"))));
  a_.Commit();
  for (const char* name : {"t", "t_pkey", "t_id_seq"}) EXPECT_EQ(FindByOther(name), nullptr);
  EXPECT_EQ(world_.storage().Find(with_index->storage), nullptr);
  EXPECT_EQ(world_.storage().Find(with_index->indexes[0].storage), nullptr);
}

TEST_F(CatalogTest, DroppingAnIndexLeavesItsTable) {
  a_.Begin();
  CreateIndex(Create("t"), "t_pkey");
  a_.Commit();
  a_.Begin();
  ASSERT_TRUE(Ok(catalog_a_.Drop(a_.tx(), Find(catalog_a_, a_, "t_pkey"))));
  a_.Commit();
  ASSERT_NE(FindByOther("t"), nullptr);
  EXPECT_TRUE(FindByOther("t")->indexes.empty());
}

TEST_F(CatalogTest, TruncateGivesNewStorageAndFreesTheLoser) {
  a_.Begin();
  const RelationRef table = CreateIndex(Create("t"), "t_pkey");
  a_.Commit();
  const RelationRef cached = FindByOther("t");
  for (const bool commit : {false, true}) {
    a_.Begin();
    auto truncated = catalog_a_.Truncate(a_.tx(), Find(catalog_a_, a_, "t"));
    ASSERT_TRUE(Ok(truncated));
    EXPECT_NE(truncated.value()->storage, table->storage);
    EXPECT_EQ(FindByOther("t"), cached) << "nobody else notices before the commit";
    if (commit) {
      a_.Commit();
    } else {
      a_.Rollback();
    }
    const RelationRef winner = commit ? truncated.value() : table;
    const RelationRef loser = commit ? table : truncated.value();
    EXPECT_NE(world_.storage().Find(winner->storage), nullptr);
    EXPECT_NE(world_.storage().Find(winner->indexes[0].storage), nullptr);
    EXPECT_EQ(world_.storage().Find(loser->storage), nullptr);
    EXPECT_EQ(world_.storage().Find(loser->indexes[0].storage), nullptr);
    EXPECT_EQ(FindByOther("t")->storage, winner->storage);
  }
  EXPECT_NE(FindByOther("t"), cached);
}

TEST_F(CatalogTest, NamesAreUniqueAmongAllRelations) {
  a_.Begin();
  const RelationRef table = Create("t");
  a_.Commit();
  a_.Begin();
  EXPECT_EQ(catalog_a_.CreateTable(a_.tx(), TableDefinition("t")).status().code(), "42P07");
  a_.Rollback();
  a_.Begin();
  EXPECT_EQ(
      catalog_a_.CreateIndex(a_.tx(), table, {.name = "t", .key_columns = {0}}).status().code(),
      "42P07");
  a_.Rollback();
  a_.Begin();
  EXPECT_EQ(catalog_a_.Find(a_.tx(), "nothing").status().error().message,
            "relation \"nothing\" does not exist");
}

TEST_F(CatalogTest, WhoCreatesANameSecondWaitsForTheFirst) {
  for (const bool first_commits : {false, true}) {
    const std::string name = first_commits ? "committed" : "rolled_back";
    a_.Begin();
    Create(name);
    std::string code;
    std::thread second([&] {
      b_.Begin();
      code = catalog_b_.CreateTable(b_.tx(), TableDefinition(name)).status().code();
      b_.Rollback();
    });
    // The second is in line once it waits for our transaction.
    while (a_.tx().backend().slot().has_xid_waiters.load() == 0) std::this_thread::yield();
    if (first_commits) {
      a_.Commit();
    } else {
      a_.Rollback();
    }
    second.join();
    EXPECT_EQ(code, first_commits ? "42P07" : "00000");
  }
}

TEST_F(CatalogTest, RepeatableReadSeesNewTables) {
  b_.Begin(IsolationLevel::kRepeatableRead);
  {
    ScopedSnapshot snapshot(b_);
    EXPECT_EQ(Find(catalog_b_, b_, "t"), nullptr);
    a_.Begin();
    Create("t");
    a_.Commit();
    EXPECT_NE(Find(catalog_b_, b_, "t"), nullptr) << "as PostgreSQL's catalog snapshot does";
  }
}

TEST_F(CatalogTest, AlterColumnsMakesANewObject) {
  a_.Begin();
  const RelationRef table = Create("t");
  std::vector<ColumnInfo> columns = table->columns;
  columns[1].not_null = true;
  auto altered = catalog_a_.AlterColumns(a_.tx(), table, columns);
  ASSERT_TRUE(Ok(altered));
  EXPECT_NE(altered.value(), table);
  EXPECT_TRUE(altered.value()->columns[1].not_null);
}

TEST_F(CatalogTest, DefinitionsThatAreTooLargeAreRefused) {
  a_.Begin();
  RelationInfo wide = TableDefinition("wide");
  wide.columns.resize(kMaxColumns + 1);
  EXPECT_EQ(catalog_a_.CreateTable(a_.tx(), wide).status().code(), "54011");
  wide.columns.assign(
      kMaxColumns, {.name = std::string(kMaxNameLength, 'c'), .type_oid = 23, .default_sql = ""});
  EXPECT_EQ(catalog_a_.CreateTable(a_.tx(), wide).status().code(), "54000");
}

TEST_F(CatalogTest, ThereIsALimitOfRelations) {
  a_.Begin();
  Status status;
  int made = 0;
  while (status.ok() && made < 1000) {
    status = catalog_a_.CreateTable(a_.tx(), TableDefinition("t" + std::to_string(made))).status();
    made += status.ok();
  }
  EXPECT_EQ(status.code(), "53400");
  EXPECT_GE(made, 64);
  auto all = catalog_a_.List(a_.tx());
  ASSERT_TRUE(Ok(all));
  EXPECT_EQ(all->size(), static_cast<size_t>(made));
  a_.Rollback();
  a_.Begin();
  EXPECT_TRUE(catalog_a_.List(a_.tx())->empty());
  Create("again");
}

// A list names relations before it loads them; without locks they may be gone by then, an index's
// table between the index's row and its own.
TEST_F(CatalogTest, ListsWhileOthersCreateAndDrop) {
  constexpr int kRounds = 2000;
  std::atomic<bool> ended = false;
  std::thread other([&] {
    for (int round = 0; round < kRounds; ++round) {
      a_.Begin();
      const RelationRef table = Create("t");
      CreateIndex(table, "t_pkey");
      a_.Commit();
      a_.Begin();
      EXPECT_TRUE(Ok(catalog_a_.Drop(a_.tx(), Find(catalog_a_, a_, "t"))));
      a_.Commit();
    }
    ended = true;
  });
  while (!ended) {
    b_.Begin();
    EXPECT_TRUE(Ok(catalog_b_.List(b_.tx())));
    for (const char* name : {"t", "t_pkey"}) Find(catalog_b_, b_, name);
    b_.Rollback();
    if (HasFailure()) break;
  }
  other.join();
}

TEST_F(CatalogTest, ManyCreatesAndDropsLeaveTheCatalogSmallAndSound) {
  for (int i = 0; i < 500; ++i) {
    a_.Begin();
    CreateIndex(Create("t"), "t_pkey");
    a_.Commit();
    a_.Begin();
    ASSERT_TRUE(Ok(catalog_a_.Drop(a_.tx(), Find(catalog_a_, a_, "t"))));
    a_.Commit();
  }
  const StorageHeader& header = world_.storage().header();
  EXPECT_TRUE(Ok(CheckHeap(world_.storage(), header.catalog_heap)));
  EXPECT_TRUE(Ok(CheckBTree(world_.storage(), header.catalog_by_name)));
  EXPECT_LE(Heap(world_.storage(), header.catalog_heap).block_count(), 16u);
}

TEST_F(CatalogTest, SequencesCountOnceAcrossTransactionsAndRollbacks) {
  a_.Begin();
  auto made = catalog_a_.CreateSequence(a_.tx(), "s", {.start = 5, .increment = 2, .maximum = 9});
  ASSERT_TRUE(Ok(made));
  const RelationRef sequence = made.value();
  int64_t last = 0;
  EXPECT_FALSE(catalog_a_.LastValue(sequence, last));
  a_.Commit();
  a_.Begin();
  EXPECT_EQ(catalog_a_.NextValue(sequence).value(), 5);
  a_.Rollback();
  EXPECT_EQ(catalog_b_.NextValue(sequence).value(), 7);
  EXPECT_EQ(catalog_a_.NextValue(sequence).value(), 9);
  const Status end = catalog_a_.NextValue(sequence).status();
  EXPECT_EQ(end.code(), "2200H");
  EXPECT_EQ(end.error().message, "nextval: reached maximum value of sequence \"s\" (9)");
  EXPECT_TRUE(catalog_a_.LastValue(sequence, last));
  EXPECT_EQ(last, 9);
  ASSERT_TRUE(Ok(catalog_a_.SetValue(sequence, 6, /*called=*/false)));
  EXPECT_EQ(catalog_a_.NextValue(sequence).value(), 6);
  EXPECT_EQ(catalog_a_.SetValue(sequence, 10, true).code(), "22003");
}

TEST_F(CatalogTest, CyclingSequencesStartOver) {
  a_.Begin();
  const RelationRef sequence =
      catalog_a_
          .CreateSequence(
              a_.tx(), "s",
              {.start = -1, .increment = -1, .minimum = -2, .maximum = -1, .cycle = true})
          .value();
  std::vector<int64_t> values;
  for (int i = 0; i < 4; ++i) values.push_back(catalog_a_.NextValue(sequence).value());
  EXPECT_EQ(values, (std::vector<int64_t>{-1, -2, -1, -2}));
}

}  // namespace
}  // namespace connbench::engine
