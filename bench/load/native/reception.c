/*
 * What a reader counts: sequence numbers, whole frames, and when each frame's last packet came.
 *
 * Only the first octets of a datagram are copied; the time of arrival is the kernel's, so that a late generator does
 * not make the server look late.
 */
#define _GNU_SOURCE
#include "reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

enum { BATCH = 64, ROUNDS = 16, HEAD_BYTES = 24, RTP_HEADER_BYTES = 12 };

static double arrival_of(struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    struct timespec t;
    memcpy(&t, CMSG_DATA(c), sizeof t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6 + realtime_offset_ms();
  }
  return now_ms();
}

void read_rtp(struct reader *reader) {
  static uint8_t heads[BATCH][HEAD_BYTES];
  static char controls[BATCH][64];
  static struct iovec vectors[BATCH];
  static struct mmsghdr messages[BATCH];
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < BATCH; i++) {
      vectors[i] = (struct iovec){heads[i], HEAD_BYTES};
      messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i],
                                            .msg_iovlen = 1,
                                            .msg_control = controls[i],
                                            .msg_controllen = sizeof controls[i]};
    }
    int count = recvmmsg(reader->rtp, messages, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
    for (int i = 0; i < count; i++) {
      take_packet(reader, heads[i], messages[i].msg_len, arrival_of(&messages[i].msg_hdr));
    }
    if (count < BATCH) return;
  }
}

void drain(int socket) {
  char octet;
  while (recv(socket, &octet, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0) {
  }
}

uint32_t overflows_of(int socket) {
  enum { DROPS = 8, FIELDS = 9 }; /* SK_MEMINFO_DROPS of linux/sock_diag.h */
  uint32_t fields[FIELDS] = {0};
  socklen_t size = sizeof fields;
  return socket >= 0 && getsockopt(socket, SOL_SOCKET, SO_MEMINFO, fields, &size) == 0 ? fields[DROPS] : 0;
}

static void end_frame(struct reader *reader, double arrival_ms) {
  if (!is_measuring) return;
  if (reader->has_gap) {
    reader->torn_frames++;
    return;
  }
  reader->frames++;
  double ticks_a_ms = settings.dialect == DIALECT_LAB ? settings.frame_rate / 1e3 : 90;
  if (reader->lateness_size == reader->lateness_capacity) {
    reader->lateness_capacity = reader->lateness_capacity * 2 + 256;
    reader->lateness = realloc(reader->lateness, reader->lateness_capacity * sizeof(double));
    if (reader->lateness == NULL) abort();
  }
  reader->lateness[reader->lateness_size++] = arrival_ms - reader->frame_position / ticks_a_ms;
}

/* Counts what is missing between the newest packet and this one. A packet that comes late after all is not lost. */
static void follow_sequence(struct reader *reader, uint16_t sequence) {
  if (!reader->has_sequence) {
    reader->has_sequence = 1;
    reader->sequence = sequence;
    return;
  }
  int16_t step = (int16_t)(sequence - reader->sequence);
  if (step <= 0) {
    reader->reordered++;
    if (step < 0) reader->lost--;
    return;
  }
  if (step > 1) {
    reader->lost += step - 1;
    reader->has_gap = 1;
  }
  if (settings.dialect == DIALECT_LAB) reader->frame_position += step;
  reader->sequence = sequence;
}

void take_packet(struct reader *reader, const uint8_t *packet, size_t size, double arrival_ms) {
  if (size < RTP_HEADER_BYTES || packet[0] >> 6 != 2) return;
  if (reader->first_packet_ms == 0) reader->first_packet_ms = arrival_ms;
  uint16_t sequence = packet[2] << 8 | packet[3];
  uint32_t timestamp = (uint32_t)packet[4] << 24 | packet[5] << 16 | packet[6] << 8 | packet[7];
  int is_first = !reader->has_sequence;
  follow_sequence(reader, sequence);
  reader->packets++;
  reader->bytes += size;
  if (is_first) {
    memcpy(&reader->ssrc, packet + 8, 4);
    reader->timestamp = timestamp;
  }
  if (settings.dialect != DIALECT_LAB && timestamp != reader->timestamp) {
    reader->frame_position += (int32_t)(timestamp - reader->timestamp);
    reader->timestamp = timestamp;
  }
  if (settings.dialect == DIALECT_LAB || (packet[1] & 0x80) != 0) {
    end_frame(reader, arrival_ms);
    reader->has_gap = 0;
  }
}

void forget_counts(struct reader *reader) {
  reader->packets = reader->bytes = reader->lost = reader->reordered = 0;
  reader->frames = reader->torn_frames = 0;
  reader->lateness_size = 0;
  reader->overflows = overflows_of(reader->rtp);
}
