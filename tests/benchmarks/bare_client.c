/* The least that a client of pgbench's -S has to do: one thread, one epoll set, a send() and a
 * recv() for each transaction, and nothing else: no clock, no protocol, no books. What it uses of
 * the CPU is the price of the sockets, which every client with these system calls pays.
 *
 *   bare_client CONNECTIONS SECONDS          as -M prepared; connects as libpq's environment says
 *   bare_client CONNECTIONS SECONDS connect  as -C: a connection for each transaction; PGHOST is an
 *                                            IPv4 address, and the server lets PGUSER in unasked
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libpq-fe.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

static unsigned Account(void) {
  static uint64_t state = 88172645463325252U;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (unsigned)(state % kAccounts) + 1;
}

/* Bind, Describe, Execute, Sync: what pgbench sends with -M prepared. */
static size_t Statement(char* out) {
  char number[16];
  const int digits = sprintf(number, "%u", Account());
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

/* Query: what pgbench sends with -M simple. */
static size_t Query(char* out) {
  char text[96];
  const int length =
      sprintf(text, "SELECT abalance FROM pgbench_accounts WHERE aid = %u;", Account());
  return (size_t)(Append(out, 'Q', text, (size_t)length + 1) - out);
}

static size_t Startup(char* out) {
  char* end = out + 8;
  const char* fields[] = {"user", getenv("PGUSER"), "database", getenv("PGDATABASE")};
  for (int i = 0; i < 4; ++i) end = stpcpy(end, fields[i]) + 1;
  *end++ = '\0';
  const uint32_t head[2] = {htonl((uint32_t)(end - out)), htonl(3 << 16)};
  memcpy(out, head, sizeof(head));
  return (size_t)(end - out);
}

static void Send(int fd, const char* bytes, size_t length, int flags) {
  if (send(fd, bytes, length, MSG_NOSIGNAL | flags) != (ssize_t)length) {
    perror("send");
    exit(2);
  }
}

static void SendStatement(int fd) {
  char statement[128];
  Send(fd, statement, Statement(statement), 0);
}

static int Connect(int epoll, const struct sockaddr_in* address, const char* startup, size_t length,
                   uint32_t place) {
  const int on = 1;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  /* On loopback the handshake is over when connect() returns, whatever it returns. */
  if (connect(fd, (const struct sockaddr*)address, sizeof(*address)) != 0 && errno != EINPROGRESS) {
    perror("connect");
    exit(2);
  }
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = place};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  Send(fd, startup, length, 0);
  return fd;
}

/* ReadyForQuery ends an answer; a part of one is followed by an event of its own. */
static int ReadAnswer(int fd) {
  static char answer[65536];
  const ssize_t got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
  if (got == 0 || (got > 0 && answer[0] == 'E')) {
    fprintf(stderr, "the server refuses\n");
    exit(2);
  }
  return got >= 6 && answer[got - 6] == 'Z';
}

static long Reconnecting(int connections, double wanted, double* begin) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  if (inet_pton(AF_INET, getenv("PGHOST"), &address.sin_addr) != 1) {
    fprintf(stderr, "PGHOST is no IPv4 address\n");
    exit(1);
  }
  address.sin_port = htons((uint16_t)atoi(getenv("PGPORT")));
  char startup[512];
  const size_t length = Startup(startup);
  const int epoll = epoll_create1(0);
  struct {
    int fd;
    int asked;
  }* clients = calloc((size_t)connections, sizeof(*clients));
  *begin = Now();
  for (int i = 0; i < connections; ++i) {
    clients[i].fd = Connect(epoll, &address, startup, length, (uint32_t)i);
  }
  long transactions = 0;
  int in_flight = connections;
  while (in_flight > 0) {
    struct epoll_event events[256];
    const int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      const uint32_t place = events[i].data.u32;
      const int fd = clients[place].fd;
      if (!ReadAnswer(fd)) continue;
      if (!clients[place].asked) {
        char query[128];
        Send(fd, query, Query(query), 0);
        clients[place].asked = 1;
        continue;
      }
      /* Terminate leaves in the segment that ends the connection. */
      Send(fd, "X\0\0\0\4", 5, MSG_MORE);
      close(fd);
      ++transactions;
      if (Now() - *begin >= wanted) {
        --in_flight;
        continue;
      }
      clients[place].asked = 0;
      clients[place].fd = Connect(epoll, &address, startup, length, place);
    }
  }
  return transactions;
}

static long Staying(int connections, double wanted, double* begin) {
  const int epoll = epoll_create1(0);
  int* sockets = calloc((size_t)connections, sizeof(int));
  for (int i = 0; i < connections; ++i) {
    PGconn* connection = PQconnectdb("");
    PGresult* prepared = PQprepare(
        connection, "s", "SELECT abalance FROM pgbench_accounts WHERE aid = $1;", 0, NULL);
    if (PQresultStatus(prepared) != PGRES_COMMAND_OK) {
      fprintf(stderr, "%s", PQerrorMessage(connection));
      exit(2);
    }
    sockets[i] = PQsocket(connection);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = sockets[i]};
    epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[i], &event);
  }
  long transactions = 0;
  int in_flight = connections;
  int over = 0;
  *begin = Now();
  for (int i = 0; i < connections; ++i) SendStatement(sockets[i]);
  while (in_flight > 0) {
    struct epoll_event events[256];
    const int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      if (!ReadAnswer(events[i].data.fd)) continue;
      --in_flight;
      if (++transactions % kTransactionsPerLook == 0) over = Now() - *begin >= wanted;
      if (over) continue;
      SendStatement(events[i].data.fd);
      ++in_flight;
    }
  }
  return transactions;
}

int main(int argc, char** argv) {
  const int reconnects = argc == 4 && strcmp(argv[3], "connect") == 0;
  if (argc != 3 && !reconnects) {
    fprintf(stderr, "usage: bare_client CONNECTIONS SECONDS [connect]\n");
    return 1;
  }
  double begin = 0;
  const long transactions =
      (reconnects ? Reconnecting : Staying)(atoi(argv[1]), atof(argv[2]), &begin);
  const double seconds = Now() - begin;
  printf("transactions = %ld\ntps = %f\n", transactions, (double)transactions / seconds);
  return 0;
}
