/*
 * The physical floor: the least a server can do to play a film to many readers, each at its own place in it.
 *
 *   floor_server sendto|sendmmsg|gso|tcp FILM FRAME_RATE
 *
 * One thread. The film, bare JPEGs one after the other, is cut into packets once; for every frame and reader the
 * headers are patched in place (sequence number, timestamp, SSRC) and the packets sent: one call each, one call for all,
 * one segmented message, or one write of '$' frames. Of RTSP it speaks as much as a player needs to begin. The packets
 * have the sizes of RFC 2435 but no valid JPEG header, for nobody looks. Writes "PORT <number>" when it listens.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
  PACKET_BYTES = 1400,
  HEAD_BYTES = 20,  /* RTP and RTP/JPEG headers */
  MARK_BYTES = 4,   /* room for '$', channel, length before every packet */
  FRAME_HEAD = 623, /* octets of a JPEG that RTP/JPEG does not carry */
  MAX_SEGMENTS = 46,
  MAX_PACKETS = 1024,
  MAX_FRAMES = 100000,
  MAX_READERS = 4096
};

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum mode { SENDTO, SENDMMSG, GSO, TCP };

struct frame {
  uint8_t *octets; /* packets; with TCP each behind its mark */
  size_t size;
  int packets;
};

struct reader {
  int control, channel_mode;
  int client_port, is_playing;
  double due_ms;
  size_t frame;
  uint16_t sequence;
  uint32_t timestamp;
  int heap_index;
};

static enum mode mode;
static struct frame frames[MAX_FRAMES];
static size_t frame_count;
static double interval_ms;
static int rtp, rtcp;
static struct reader *heap[MAX_READERS];
static int heap_size;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

/* Cuts one JPEG into packets. */
static void add_frame(const uint8_t *jpeg, size_t size) {
  int mark = mode == TCP ? MARK_BYTES : 0;
  size_t payload = size > FRAME_HEAD ? size - FRAME_HEAD : 1, room = PACKET_BYTES - HEAD_BYTES;
  int packets = (payload + room - 1) / room;
  if (packets > MAX_PACKETS || frame_count == MAX_FRAMES) return;
  uint8_t *at = malloc((size_t)packets * (PACKET_BYTES + mark));
  if (at == NULL) die("malloc");
  struct frame *frame = &frames[frame_count++];
  *frame = (struct frame){at, 0, packets};
  for (int i = 0; i < packets; i++) {
    size_t part = i + 1 < packets ? room : payload - room * i, length = part + HEAD_BYTES;
    if (mark) {
      at[0] = '$', at[1] = 0, at[2] = length >> 8, at[3] = length;
      at += mark;
    }
    memset(at, 0, HEAD_BYTES);
    at[0] = 0x80;
    at[1] = 26 | (i + 1 == packets ? 0x80 : 0);
    memcpy(at + HEAD_BYTES, jpeg + (size > FRAME_HEAD ? FRAME_HEAD : 0) + room * i, part);
    at += length;
  }
  frame->size = at - frame->octets;
}

static void read_film(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) die(path);
  fseek(file, 0, SEEK_END);
  size_t size = ftell(file), start = 0;
  rewind(file);
  uint8_t *octets = malloc(size);
  if (octets == NULL || fread(octets, 1, size, file) != size) die("read");
  fclose(file);
  for (size_t i = 2; i + 1 < size; i++) {
    if (octets[i] != 0xff || octets[i + 1] != 0xd9) continue;
    add_frame(octets + start, i + 2 - start);
    start = i + 2;
  }
  free(octets);
}

static void swap(int a, int b) {
  struct reader *x = heap[a];
  heap[a] = heap[b], heap[b] = x;
  heap[a]->heap_index = a, heap[b]->heap_index = b;
}

static void sift(int i) {
  while (i > 0 && heap[i]->due_ms < heap[(i - 1) / 2]->due_ms) swap(i, (i - 1) / 2), i = (i - 1) / 2;
  for (;;) {
    int child = 2 * i + 1;
    if (child + 1 < heap_size && heap[child + 1]->due_ms < heap[child]->due_ms) child++;
    if (child >= heap_size || heap[i]->due_ms <= heap[child]->due_ms) return;
    swap(i, child);
    i = child;
  }
}

static void play(struct reader *reader) {
  if (reader->is_playing) return;
  reader->is_playing = 1;
  reader->due_ms = now_ms();
  reader->heap_index = heap_size;
  heap[heap_size++] = reader;
  sift(reader->heap_index);
}

static void stop(struct reader *reader) {
  if (!reader->is_playing) return;
  reader->is_playing = 0;
  int i = reader->heap_index;
  heap[i] = heap[--heap_size];
  heap[i]->heap_index = i;
  if (i < heap_size) sift(i);
}

static void stamp(struct reader *reader, struct frame *frame) {
  int mark = mode == TCP ? MARK_BYTES : 0, stride = PACKET_BYTES + mark;
  uint32_t timestamp = htonl(reader->timestamp), ssrc = htonl(reader->client_port + 1);
  for (int i = 0; i < frame->packets; i++) {
    uint8_t *packet = frame->octets + (size_t)i * stride + mark;
    uint16_t sequence = htons(reader->sequence++);
    memcpy(packet + 2, &sequence, 2);
    memcpy(packet + 4, &timestamp, 4);
    memcpy(packet + 8, &ssrc, 4);
  }
}

static void send_segmented(struct frame *frame, struct sockaddr_in *to) {
  size_t most = (size_t)MAX_SEGMENTS * PACKET_BYTES;
  for (size_t start = 0; start < frame->size; start += most) {
    struct iovec vector = {frame->octets + start, frame->size - start < most ? frame->size - start : most};
    char control[CMSG_SPACE(2)] = {0};
    struct msghdr message = {to, sizeof *to, &vector, 1, control, sizeof control, 0};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = IPPROTO_UDP, c->cmsg_type = UDP_SEGMENT, c->cmsg_len = CMSG_LEN(2);
    *(uint16_t *)CMSG_DATA(c) = PACKET_BYTES;
    sendmsg(rtp, &message, MSG_DONTWAIT);
  }
}

static void send_many(struct frame *frame, struct sockaddr_in *to) {
  static struct mmsghdr messages[MAX_PACKETS];
  static struct iovec vectors[MAX_PACKETS];
  for (int i = 0; i < frame->packets; i++) {
    size_t start = (size_t)i * PACKET_BYTES, rest = frame->size - start;
    vectors[i] = (struct iovec){frame->octets + start, rest < PACKET_BYTES ? rest : PACKET_BYTES};
    messages[i].msg_hdr = (struct msghdr){to, sizeof *to, &vectors[i], 1, NULL, 0, 0};
  }
  for (int sent = 0; sent < frame->packets;) {
    int count = sendmmsg(rtp, messages + sent, frame->packets - sent, MSG_DONTWAIT);
    if (count <= 0) return;
    sent += count;
  }
}

static void send_frame(struct reader *reader) {
  struct frame *frame = &frames[reader->frame];
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons(reader->client_port),
                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
  stamp(reader, frame);
  if (mode == GSO) send_segmented(frame, &to);
  if (mode == SENDMMSG) send_many(frame, &to);
  for (size_t start = 0; mode == SENDTO && start < frame->size; start += PACKET_BYTES) {
    size_t rest = frame->size - start;
    sendto(rtp, frame->octets + start, rest < PACKET_BYTES ? rest : PACKET_BYTES, MSG_DONTWAIT,
           (struct sockaddr *)&to, sizeof to);
  }
  /* A reader that does not keep up would block here; on loopback none does. */
  for (size_t start = 0; mode == TCP && start < frame->size;) {
    ssize_t count = send(reader->control, frame->octets + start, frame->size - start, MSG_NOSIGNAL);
    if (count <= 0) return;
    start += count;
  }
}

static void send_due(double now) {
  while (heap_size > 0 && heap[0]->due_ms <= now) {
    struct reader *reader = heap[0];
    send_frame(reader);
    reader->frame = (reader->frame + 1) % frame_count;
    reader->timestamp += (uint32_t)(interval_ms * 90 + 0.5);
    reader->due_ms += interval_ms;
    sift(0);
  }
}

static void reply(struct reader *reader, const char *request, const char *headers, const char *body) {
  char text[1024];
  const char *cseq = strcasestr(request, "CSeq:");
  int size = snprintf(text, sizeof text, "RTSP/1.0 200 OK\r\nCSeq: %d\r\nSession: 12345678\r\n%sContent-Length: %zu\r\n\r\n%s",
                      cseq != NULL ? atoi(cseq + 5) : 0, headers, strlen(body), body);
  if (send(reader->control, text, size, MSG_NOSIGNAL) != size) stop(reader);
}

static void take_request(struct reader *reader, const char *request) {
  char headers[200];
  const char *port = strstr(request, "client_port=");
  if (strncmp(request, "DESCRIBE", 8) == 0) {
    reply(reader, request, "Content-Type: application/sdp\r\n",
          "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:0\r\n");
  } else if (strncmp(request, "SETUP", 5) == 0) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    getsockname(rtcp, (struct sockaddr *)&address, &size);
    reader->client_port = port != NULL ? atoi(port + 12) : 1;
    if (port == NULL) snprintf(headers, sizeof headers, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n");
    else
      snprintf(headers, sizeof headers, "Transport: RTP/AVP;unicast;client_port=%d-%d;server_port=%d-%d\r\n",
               reader->client_port, reader->client_port + 1, ntohs(address.sin_port) - 1,
               ntohs(address.sin_port));
    reply(reader, request, headers, "");
  } else if (strncmp(request, "PLAY", 4) == 0) {
    reply(reader, request, "", "");
    play(reader);
  } else {
    if (strncmp(request, "TEARDOWN", 8) == 0) stop(reader);
    reply(reader, request, "", "");
  }
}

static void accept_reader(int listener, int epoll) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), yes = 1;
  if (fd < 0) return;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  struct reader *reader = calloc(1, sizeof *reader);
  if (reader == NULL) die("calloc");
  reader->control = fd;
  reader->frame = random() % frame_count;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = reader};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void read_requests(struct reader *reader) {
  char text[4096];
  ssize_t size = recv(reader->control, text, sizeof text - 1, MSG_DONTWAIT);
  if (size < 0) return;
  if (size == 0) {
    stop(reader);
    close(reader->control);
    free(reader);
    return;
  }
  text[size] = 0;
  if (text[0] != '$') take_request(reader, text);
}

static int open_socket(int type, int port) {
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), size = 4 << 20;
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) die("bind");
  return fd;
}

int main(int argc, char **argv) {
  static const char *const names[] = {"sendto", "sendmmsg", "gso", "tcp"};
  if (argc != 4) return 2;
  for (mode = SENDTO; strcmp(names[mode], argv[1]) != 0; mode++) {
    if (mode == TCP) return 2;
  }
  setrlimit(RLIMIT_NOFILE, &(struct rlimit){8192, 8192});
  interval_ms = 1e3 / atof(argv[3]);
  read_film(argv[2]);
  if (frame_count == 0) return 1;
  rtp = open_socket(SOCK_DGRAM, 0), rtcp = open_socket(SOCK_DGRAM, 0);
  int listener = open_socket(SOCK_STREAM, 0), epoll = epoll_create1(0);
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  if (listen(listener, 1024) != 0) die("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[64];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  printf("PORT %d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    double wait_ms = heap_size == 0 ? 100 : heap[0]->due_ms - now_ms();
    struct timespec wait = {0, wait_ms <= 0 ? 0 : wait_ms > 100 ? 100000000 : (long)(wait_ms * 1e6)};
    int count = epoll_pwait2(epoll, events, 64, &wait, NULL);
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == NULL) accept_reader(listener, epoll);
      else read_requests(events[i].data.ptr);
    }
    send_due(now_ms());
  }
}
