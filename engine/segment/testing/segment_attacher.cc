// A program that segment_test starts by fork and exec: it attaches to the segment by name, as an
// unrelated process would, checks what the test wrote and answers in the same place.
#include <atomic>
#include <cstdint>
#include <cstdio>

#include "engine/segment/latch.h"
#include "engine/segment/segment.h"
#include "engine/segment/testing/segment_test_part.h"

int main(int argc, char** argv) {
  using connbench::engine::Segment;
  if (argc != 2) return 2;
  auto segment = Segment::Attach(argv[1], /*read_only=*/false);
  if (!segment) {
    fprintf(stderr, "%s\n", segment.status().ToString().c_str());
    return 1;
  }
  auto* part = (*segment)->Find<connbench::engine::SegmentTestPart>(
      connbench::engine::SegmentPart::kStorage);
  if (part == nullptr) return 3;
  for (int i = 0; i < connbench::engine::SegmentTestPart::kRounds; ++i) {
    connbench::engine::ExclusiveLatchGuard guard(part->latch);
    part->counter += 1;
  }
  return part->magic == connbench::engine::SegmentTestPart::kMagic ? 0 : 4;
}
