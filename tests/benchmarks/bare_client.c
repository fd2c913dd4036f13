/* The least that a client of pgbench's -S -M prepared has to do: one thread, one epoll set, a send() and a
 * recv() for each transaction, and nothing else: no clock, no protocol, no books. What it uses of the CPU
 * is the price of the sockets, which every client with these system calls pays.
 *
 *   bare_client CONNECTIONS SECONDS     connects as libpq's environment says
 */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

enum { kAccounts = 1000000, kTransactionsPerLook = 4096 };

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static char* Append(char* out, char type, const void* body, size_t length) {
  const uint32_t size = htonl((uint32_t)length + 4);
  *out++ = type;
  memcpy(out, &size, sizeof(size));
  out += sizeof(size);
  memcpy(out, body, length);
  return out + length;
}

/* Bind, Describe, Execute, Sync: what pgbench sends. */
static size_t Statement(char* out) {
  static uint64_t state = 88172645463325252U;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  char number[16];
  const int digits = sprintf(number, "%u", (unsigned)(state % kAccounts) + 1);
  /* portal "", statement "s", no formats, one parameter, no result formats */
  char bind[64] = "\0s\0\0\0\0\1";
  const uint32_t length = htonl((uint32_t)digits);
  memcpy(bind + 7, &length, sizeof(length));
  memcpy(bind + 11, number, (size_t)digits);
  char* end = Append(out, 'B', bind, 13 + (size_t)digits);
  end = Append(end, 'D', "P", 2);
  end = Append(end, 'E', "\0\0\0\0", 5);
  end = Append(end, 'S', "", 0);
  return (size_t)(end - out);
}

static void Send(int fd) {
  char statement[128];
  const size_t length = Statement(statement);
  if (send(fd, statement, length, MSG_NOSIGNAL) != (ssize_t)length) {
    perror("send");
    exit(2);
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: bare_client CONNECTIONS SECONDS\n");
    return 1;
  }
  const int connections = atoi(argv[1]);
  const int epoll = epoll_create1(0);
  int* sockets = calloc((size_t)connections, sizeof(int));
  for (int i = 0; i < connections; ++i) {
    PGconn* connection = PQconnectdb("");
    PGresult* prepared = PQprepare(
        connection, "s", "SELECT abalance FROM pgbench_accounts WHERE aid = $1;", 0, NULL);
    if (PQresultStatus(prepared) != PGRES_COMMAND_OK) {
      fprintf(stderr, "%s", PQerrorMessage(connection));
      return 2;
    }
    sockets[i] = PQsocket(connection);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = sockets[i]};
    epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[i], &event);
  }
  const double begin = Now();
  const double until = begin + atof(argv[2]);
  long transactions = 0;
  int in_flight = 0;
  int over = 0;
  for (int i = 0; i < connections; ++i) Send(sockets[i]);
  in_flight = connections;
  while (in_flight > 0) {
    struct epoll_event events[256];
    const int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      static char answer[65536];
      const ssize_t got = recv(events[i].data.fd, answer, sizeof(answer), MSG_DONTWAIT);
      /* ReadyForQuery ends an answer; a part of one is followed by an event of its own. */
      if (got < 6 || answer[got - 6] != 'Z') continue;
      --in_flight;
      if (++transactions % kTransactionsPerLook == 0) over = Now() >= until;
      if (over) continue;
      Send(events[i].data.fd);
      ++in_flight;
    }
  }
  const double seconds = Now() - begin;
  printf("transactions = %ld\ntps = %f\n", transactions, (double)transactions / seconds);
  return 0;
}
