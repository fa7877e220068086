/* One reader of the load generator: its RTSP dialogue and what it counts of the packets that come. */
#ifndef READER_H
#define READER_H

#include <stddef.h>
#include <netinet/in.h>
#include <stdint.h>

enum dialect { DIALECT_UDP, DIALECT_TCP, DIALECT_LAB };

enum phase { WAITING, CONNECTING, DESCRIBING, SETTING_UP, STARTING, PLAYING, ENDING, ENDED, FAILED };

/* Received octets that are not understood yet: RTSP replies, and '$' frames between them. */
enum { INPUT_BYTES = 65536 };

/* Which of a reader's sockets an epoll event is about: the low bits of its data, beside the reader's address. */
enum socket_kind { CONTROL = 0, RTP = 1, RTCP = 2 };

struct settings {
  enum dialect dialect;
  int port;
  int readers;
  double window_ms;
  double spread_ms;
  double settle_ms;
  double frame_rate;
  const char *path;
};

struct reader {
  enum phase phase;
  int control, rtp, rtcp;
  struct in_addr host; /* one of 127.0.0.0/8 */
  int client_port, server_rtcp_port;
  int cseq;
  char session[80];
  char stream_url[256];
  char input[INPUT_BYTES];
  size_t input_size;
  double start_ms, play_sent_ms, first_packet_ms, next_report_ms, next_keep_alive_ms;

  uint32_t ssrc;
  int has_sequence;
  uint16_t sequence;      /* of the newest packet */
  int64_t frame_position; /* lab: extended sequence number; standard: extended timestamp */
  uint32_t timestamp;
  int has_gap; /* a packet of the frame under way is missing */

  int64_t packets, bytes, lost, reordered;
  uint32_t overflows; /* datagrams for which the receive buffer had no room, before the window */
  int64_t frames, torn_frames;
  double *lateness; /* arrival less media time, in ms, one for each whole frame of the window */
  size_t lateness_size, lateness_capacity;
};

extern struct settings settings;
extern int is_measuring;

/* Milliseconds of CLOCK_MONOTONIC, and what to add to a CLOCK_REALTIME moment to get there. */
double now_ms(void);
double realtime_offset_ms(void);

/* dialogue.c */
void begin_dialogue(struct reader *reader, int epoll);
void read_control(struct reader *reader);
void send_report(struct reader *reader);
void send_keep_alive(struct reader *reader);
void send_teardown(struct reader *reader);

/* reception.c */
void read_rtp(struct reader *reader);
void drain(int socket);
/* Datagrams for which the receive buffer had no room so far. */
uint32_t overflows_of(int socket);
void take_packet(struct reader *reader, const uint8_t *packet, size_t size, double arrival_ms);
void forget_counts(struct reader *reader);

#endif
