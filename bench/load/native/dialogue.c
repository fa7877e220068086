/*
 * A reader's RTSP dialogue: DESCRIBE, SETUP, PLAY, TEARDOWN (RFC 2326), or SETUP, PLAY, TEARDOWN as the lab's clients
 * write them; and the '$' frames between the replies.
 */
#define _GNU_SOURCE
#include "reader.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { RECEIVE_BUFFER_BYTES = 8 << 20, FIRST_PORT = 20000, LAST_PORT = 64000, READERS_OF_HOST = 4000 };

static void fail(struct reader *reader, const char *what) {
  static int told = 0;
  if (told++ < 5) fprintf(stderr, "reader failed: %s\n", what);
  reader->phase = FAILED;
}

static struct sockaddr_in local(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

/* Thousands of readers come from several addresses: one has too few ports. */
static struct in_addr next_host(void) {
  static int readers = 0;
  return (struct in_addr){htonl(INADDR_LOOPBACK + readers++ / READERS_OF_HOST)};
}

static void watch(int epoll, int fd, struct reader *reader, enum socket_kind kind) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uintptr_t)reader | kind};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int open_udp(struct in_addr host, int port) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = local(port);
  address.sin_addr = host;
  if (fd < 0) return -1;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    close(fd);
    return -1;
  }
  int size = RECEIVE_BUFFER_BYTES, yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
  return fd;
}

/* An even port for RTP and the next for RTCP, which the lab does not have. */
static void open_pair(struct reader *reader, int epoll) {
  static int next = FIRST_PORT;
  for (int tries = 0; tries < (LAST_PORT - FIRST_PORT) / 2; tries++) {
    int port = next;
    next = next + 2 >= LAST_PORT ? FIRST_PORT : next + 2;
    reader->rtp = open_udp(reader->host, port);
    if (reader->rtp < 0) continue;
    int is_lab = settings.dialect == DIALECT_LAB;
    if (!is_lab) reader->rtcp = open_udp(reader->host, port + 1);
    if (is_lab || reader->rtcp >= 0) {
      watch(epoll, reader->rtp, reader, RTP);
      if (!is_lab) watch(epoll, reader->rtcp, reader, RTCP);
      reader->client_port = port;
      return;
    }
    close(reader->rtp);
  }
  fail(reader, "no pair of UDP ports is free");
}

static void send_text(struct reader *reader, const char *text) {
  size_t size = strlen(text);
  if (write(reader->control, text, size) != (ssize_t)size) fail(reader, "cannot send a request");
}

static void send_request(struct reader *reader, const char *method, const char *url, const char *more) {
  char text[1024];
  snprintf(text, sizeof text, "%s %s RTSP/1.0\r\nCSeq: %d\r\n%s%s%s%s\r\n", method, url, ++reader->cseq,
           reader->session[0] != 0 ? "Session: " : "", reader->session,
           reader->session[0] != 0 ? "\r\n" : "", more);
  send_text(reader, text);
}

static void send_lab_request(struct reader *reader, const char *method) {
  char text[512], third[128];
  if (strcmp(method, "SETUP") == 0) {
    snprintf(third, sizeof third, "Transport: RTP/UDP; client_port= %d\n", reader->client_port);
  } else {
    snprintf(third, sizeof third, "Session: %s\n", reader->session);
  }
  snprintf(text, sizeof text, "%s %s RTSP/1.0\nCSeq: %d\n%s", method, settings.path, ++reader->cseq, third);
  send_text(reader, text);
}

static void movie_url(char *url, size_t size) {
  snprintf(url, size, "rtsp://127.0.0.1:%d/%s", settings.port, settings.path);
}

void begin_dialogue(struct reader *reader, int epoll) {
  reader->rtp = reader->rtcp = -1;
  reader->control = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = local(settings.port), own = {.sin_family = AF_INET, .sin_addr = next_host()};
  int late_port = 1;
  reader->host = own.sin_addr;
  setsockopt(reader->control, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late_port, sizeof late_port);
  if (bind(reader->control, (struct sockaddr *)&own, sizeof own) != 0 ||
      connect(reader->control, (struct sockaddr *)&address, sizeof address) != 0) {
    fail(reader, strerror(errno));
    return;
  }
  int yes = 1, size = RECEIVE_BUFFER_BYTES;
  setsockopt(reader->control, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(reader->control, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
  if (settings.dialect == DIALECT_TCP) {
    setsockopt(reader->control, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  watch(epoll, reader->control, reader, CONTROL);
  if (settings.dialect != DIALECT_TCP) open_pair(reader, epoll);
  if (reader->phase == FAILED) return;
  if (settings.dialect == DIALECT_LAB) {
    reader->phase = SETTING_UP;
    send_lab_request(reader, "SETUP");
    return;
  }
  char url[200];
  movie_url(url, sizeof url);
  reader->phase = DESCRIBING;
  send_request(reader, "DESCRIBE", url, "Accept: application/sdp\r\n");
}

/* Copies the rest of the line that follows `name` (in any case) up to one of the stop characters. */
static int copy_field(char *target, size_t size, const char *text, const char *name, const char *stops) {
  const char *found = strcasestr(text, name);
  if (found == NULL) return 0;
  found += strlen(name);
  while (*found == ' ') found++;
  size_t length = strcspn(found, stops);
  if (length >= size) return 0;
  memcpy(target, found, length);
  target[length] = 0;
  return 1;
}

static void set_up(struct reader *reader, const char *sdp) {
  const char *media = strstr(sdp, "m=video");
  char control[200], transport[160], url[200];
  movie_url(url, sizeof url);
  if (media == NULL || !copy_field(control, sizeof control, media, "a=control:", "\r\n")) {
    fail(reader, "the description has no video with a control attribute");
    return;
  }
  if (strncmp(control, "rtsp://", 7) == 0) {
    snprintf(reader->stream_url, sizeof reader->stream_url, "%s", control);
  } else {
    snprintf(reader->stream_url, sizeof reader->stream_url, "%.50s/%.200s", url, control);
  }
  if (settings.dialect == DIALECT_TCP) {
    snprintf(transport, sizeof transport, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n");
  } else {
    snprintf(transport, sizeof transport, "Transport: RTP/AVP;unicast;client_port=%d-%d\r\n",
             reader->client_port, reader->client_port + 1);
  }
  reader->phase = SETTING_UP;
  send_request(reader, "SETUP", reader->stream_url, transport);
}

static void start(struct reader *reader, const char *reply) {
  if (!copy_field(reader->session, sizeof reader->session, reply, "Session:", ";\r\n")) {
    fail(reader, "the reply to SETUP has no session");
    return;
  }
  char port[80];
  if (copy_field(port, sizeof port, reply, "server_port=", ";\r\n")) {
    const char *dash = strchr(port, '-');
    reader->server_rtcp_port = dash != NULL ? atoi(dash + 1) : atoi(port) + 1;
  }
  reader->phase = STARTING;
  reader->play_sent_ms = now_ms();
  if (settings.dialect == DIALECT_LAB) {
    send_lab_request(reader, "PLAY");
    return;
  }
  char url[200];
  movie_url(url, sizeof url);
  send_request(reader, "PLAY", url, "");
}

static void take_reply(struct reader *reader, const char *reply) {
  if (strncmp(reply, "RTSP/1.0 200", 12) != 0) {
    char line[60];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(reply, "\r\n"), reply);
    fail(reader, line);
    return;
  }
  if (reader->phase == DESCRIBING) set_up(reader, reply);
  else if (reader->phase == SETTING_UP) start(reader, reply);
  else if (reader->phase == STARTING) reader->phase = PLAYING;
  else if (reader->phase == ENDING) reader->phase = ENDED;
}

/* Takes one reply or '$' frame off the front of the input; 0 when it is not whole yet. */
static size_t take_message(struct reader *reader, char *at, size_t size, double arrival_ms) {
  if (size == 0) return 0;
  if (at[0] == '$') {
    if (size < 4) return 0;
    size_t length = (uint8_t)at[2] << 8 | (uint8_t)at[3];
    if (size < 4 + length) return 0;
    if (at[1] == 0) take_packet(reader, (uint8_t *)at + 4, length, arrival_ms);
    return 4 + length;
  }
  if (settings.dialect == DIALECT_LAB) {
    take_reply(reader, at);
    return size;
  }
  char *end = memmem(at, size, "\r\n\r\n", 4);
  if (end == NULL) return 0;
  char length_text[20];
  size_t head = end + 4 - at, whole = head;
  end[3] = 0;
  if (copy_field(length_text, sizeof length_text, at, "Content-Length:", "\r\n")) whole += atoi(length_text);
  end[3] = '\n';
  if (size < whole) return 0;
  char saved = at[whole];
  at[whole] = 0;
  take_reply(reader, at);
  at[whole] = saved;
  return whole;
}

static ssize_t receive(struct reader *reader, double *arrival_ms) {
  char control[128];
  struct iovec vector = {reader->input + reader->input_size, INPUT_BYTES - 1 - reader->input_size};
  struct msghdr message = {
      .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t count = recvmsg(reader->control, &message, MSG_DONTWAIT);
  *arrival_ms = now_ms();
  struct cmsghdr *c = count > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
    struct timespec t;
    memcpy(&t, CMSG_DATA(c), sizeof t);
    *arrival_ms = t.tv_sec * 1e3 + t.tv_nsec / 1e6 + realtime_offset_ms();
  }
  return count;
}

void read_control(struct reader *reader) {
  for (;;) {
    double arrival_ms;
    ssize_t count = receive(reader, &arrival_ms);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
      if (reader->phase == ENDING) reader->phase = ENDED;
      else if (reader->phase != ENDED) fail(reader, "the server closed the connection");
      close(reader->control);
      reader->control = -1;
      return;
    }
    reader->input_size += count;
    reader->input[reader->input_size] = 0;
    size_t offset = 0, taken;
    while ((taken = take_message(reader, reader->input + offset, reader->input_size - offset, arrival_ms)) > 0) {
      offset += taken;
    }
    memmove(reader->input, reader->input + offset, reader->input_size - offset);
    reader->input_size -= offset;
    if (count < 4096) return;
  }
}

/* A receiver report that says all is well: servers take it as a sign of life (RFC 3550 s6.4.2). */
void send_report(struct reader *reader) {
  if (reader->server_rtcp_port == 0 || !reader->has_sequence) return;
  uint8_t report[32] = {0x81, 201, 0, 7, 1, 2, 3, 4};
  memcpy(report + 8, &reader->ssrc, 4);
  report[18] = reader->sequence >> 8;
  report[19] = reader->sequence;
  struct sockaddr_in address = local(reader->server_rtcp_port);
  sendto(reader->rtcp, report, sizeof report, 0, (struct sockaddr *)&address, sizeof address);
}

void send_keep_alive(struct reader *reader) {
  char url[200];
  movie_url(url, sizeof url);
  if (settings.dialect != DIALECT_LAB) send_request(reader, "OPTIONS", url, "");
}

void send_teardown(struct reader *reader) {
  reader->phase = ENDING;
  if (settings.dialect == DIALECT_LAB) {
    send_lab_request(reader, "TEARDOWN");
    return;
  }
  char url[200];
  movie_url(url, sizeof url);
  send_request(reader, "TEARDOWN", url, "");
}
