/* Loaded into a server (LD_PRELOAD): reads of the file "pages" wait as long as the file that
   HELD_READS names exists. Each makes a file beside it first, "<name>.<thread>", so that a test
   knows that it is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void wait_if_held(int fd) {
  const char *held = getenv("HELD_READS");
  if (held == NULL || access(held, F_OK) != 0) return;
  char link[64], path[4096], mark[4200];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 6 || memcmp(path + length - 6, "/pages", 6) != 0) return;
  snprintf(mark, sizeof mark, "%s.%ld", held, syscall(SYS_gettid));
  close(open(mark, O_CREAT | O_WRONLY, 0600));
  while (access(held, F_OK) == 0) usleep(1000);
  unlink(mark);
}

typedef ssize_t (*pread_function)(int, void *, size_t, off_t);

ssize_t pread64(int fd, void *to, size_t bytes, off_t offset) {
  static pread_function next;
  if (next == NULL) next = (pread_function)dlsym(RTLD_NEXT, "pread64");
  wait_if_held(fd);
  return next(fd, to, bytes, offset);
}

ssize_t pread(int fd, void *to, size_t bytes, off_t offset) {
  return pread64(fd, to, bytes, offset);
}
