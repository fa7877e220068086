/*
 * Plays from an RTSP server on 127.0.0.1 with many readers at once, and tells what each got and when.
 *
 *   load_generator DIALECT PORT PATH READERS FRAME_RATE WINDOW_SECONDS SPREAD_SECONDS
 *
 * DIALECT is udp, tcp or lab. The readers start one after the other over SPREAD_SECONDS; once all play and a moment
 * more has passed, it writes "begin", counts for WINDOW_SECONDS, writes "end", tears all down and writes one line
 * of JSON. One process, one thread; it looks after its sockets once a millisecond, for the kernel notes the times.
 */
#define _GNU_SOURCE
#include "reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512, ROUNDS = 16 };
static const double START_LIMIT_MS = 6000, END_LIMIT_MS = 2000;
static const double REPORT_MS = 5000, KEEP_ALIVE_MS = 20000;

struct settings settings;
int is_measuring = 0;
static double offset_ms, looked_ms, longest_pause_ms;

static double clock_ms(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

double now_ms(void) { return clock_ms(CLOCK_MONOTONIC); }

double realtime_offset_ms(void) { return offset_ms; }

static double cpu_ms(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
         (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/* Looks at every socket that has something, then sleeps for a millisecond. Under too much load it comes back all the same. */
static void serve(int epoll) {
  static struct epoll_event events[EVENTS];
  double now = now_ms();
  if (looked_ms > 0 && now - looked_ms > longest_pause_ms) longest_pause_ms = now - looked_ms;
  looked_ms = now;
  offset_ms = clock_ms(CLOCK_MONOTONIC) - clock_ms(CLOCK_REALTIME);
  int count, rounds = 0;
  do {
    count = epoll_wait(epoll, events, EVENTS, 0);
    for (int i = 0; i < count; i++) {
      uint64_t tagged = events[i].data.u64;
      struct reader *reader = (struct reader *)(uintptr_t)(tagged & ~(uint64_t)3);
      if ((tagged & 3) == RTP) read_rtp(reader);
      else if ((tagged & 3) == RTCP) drain(reader->rtcp);
      else if (reader->control >= 0) read_control(reader);
    }
  } while (count == EVENTS && ++rounds < ROUNDS);
  struct timespec pause = {0, 1000000};
  nanosleep(&pause, NULL);
}

static int count_in(struct reader *readers, enum phase phase) {
  int count = 0;
  for (int i = 0; i < settings.readers; i++) count += readers[i].phase == phase;
  return count;
}

static void look_after(struct reader *readers) {
  double now = now_ms();
  for (int i = 0; i < settings.readers; i++) {
    struct reader *reader = &readers[i];
    if (reader->phase != PLAYING) continue;
    if (now >= reader->next_report_ms) {
      if (reader->next_report_ms != 0 && reader->rtcp >= 0) send_report(reader);
      reader->next_report_ms = now + REPORT_MS;
    }
    if (now >= reader->next_keep_alive_ms) {
      if (reader->next_keep_alive_ms != 0) send_keep_alive(reader);
      reader->next_keep_alive_ms = now + KEEP_ALIVE_MS;
    }
  }
}

static void start_all(struct reader *readers, int epoll) {
  double began = now_ms();
  int started = 0;
  while (now_ms() < began + settings.spread_ms + START_LIMIT_MS) {
    while (started < settings.readers &&
           now_ms() >= began + settings.spread_ms * started / settings.readers) {
      begin_dialogue(&readers[started++], epoll);
    }
    serve(epoll);
    look_after(readers);
    if (count_in(readers, PLAYING) + count_in(readers, FAILED) == settings.readers) break;
  }
  double settled = now_ms() + settings.settle_ms;
  while (now_ms() < settled) {
    serve(epoll);
    look_after(readers);
  }
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double percentile(double *sorted, size_t size, double share) {
  return size == 0 ? -1 : sorted[(size_t)(share * (size - 1))];
}

static double smallest(const double *values, size_t size) {
  double found = values[0];
  for (size_t i = 1; i < size; i++) {
    if (values[i] < found) found = values[i];
  }
  return found;
}

/*
 * Makes arrival times into lateness behind the ideal schedule: the line of the frame that came earliest for its place.
 * Returns by how many ms the earliest frame of the window's last tenth is later than that of its first tenth.
 */
static double relate_to_schedule(struct reader *reader) {
  size_t size = reader->lateness_size, tenth = size / 10;
  if (tenth == 0) return 0;
  double drift = smallest(reader->lateness + size - tenth, tenth) - smallest(reader->lateness, tenth);
  double earliest = smallest(reader->lateness, size);
  for (size_t i = 0; i < size; i++) reader->lateness[i] -= earliest;
  return drift;
}

static void tell(struct reader *readers, double window_ms, double used_ms) {
  int64_t packets = 0, bytes = 0, lost = 0, reordered = 0, frames = 0, torn = 0, late = 0, overflows = 0;
  int playing = 0;
  size_t n = settings.readers;
  double *firsts = calloc(n, sizeof(double)), *drifts = calloc(n, sizeof(double)), *all = NULL;
  size_t total = 0, first_count = 0, at = 0;
  for (size_t i = 0; i < n; i++) total += readers[i].lateness_size;
  all = calloc(total + 1, sizeof(double));
  if (firsts == NULL || drifts == NULL || all == NULL) abort();
  for (size_t i = 0; i < n; i++) {
    struct reader *r = &readers[i];
    packets += r->packets, bytes += r->bytes, lost += r->lost, reordered += r->reordered;
    frames += r->frames, torn += r->torn_frames;
    overflows += overflows_of(r->rtp) - r->overflows;
    playing += r->frames > 0;
    if (r->first_packet_ms > 0) firsts[first_count++] = r->first_packet_ms - r->play_sent_ms;
    drifts[i] = relate_to_schedule(r);
    memcpy(all + at, r->lateness, r->lateness_size * sizeof(double));
    at += r->lateness_size;
  }
  for (size_t i = 0; i < total; i++) late += all[i] > 500 / settings.frame_rate;
  qsort(all, total, sizeof(double), ascending);
  qsort(firsts, first_count, sizeof(double), ascending);
  qsort(drifts, n, sizeof(double), ascending);
  printf("{\"readers\":%zu,\"playing\":%d,\"windowMs\":%.1f,\"expectedFrames\":%.0f,\"frames\":%ld,"
         "\"tornFrames\":%ld,\"packets\":%ld,\"bytes\":%ld,\"lostPackets\":%ld,\"overflows\":%ld,\"reorderedPackets\":%ld,"
         "\"lateFrames\":%ld,\"latenessP50Ms\":%.3f,\"latenessP99Ms\":%.3f,\"latenessMaxMs\":%.3f,"
         "\"firstPacketP50Ms\":%.3f,\"firstPacketP99Ms\":%.3f,\"driftMs\":%.3f,\"worstDriftMs\":%.3f,"
         "\"generatorCpuMs\":%.1f,\"longestPauseMs\":%.1f}\n",
         n, playing, window_ms, n * window_ms * settings.frame_rate / 1e3, (long)frames, (long)torn,
         (long)packets, (long)bytes, (long)lost, (long)overflows, (long)reordered, (long)late, percentile(all, total, 0.5),
         percentile(all, total, 0.99), percentile(all, total, 1), percentile(firsts, first_count, 0.5),
         percentile(firsts, first_count, 0.99), percentile(drifts, n, 0.5), percentile(drifts, n, 1), used_ms, longest_pause_ms);
}

static void measure(struct reader *readers, int epoll) {
  for (int i = 0; i < settings.readers; i++) forget_counts(&readers[i]);
  printf("begin\n");
  fflush(stdout);
  is_measuring = 1;
  longest_pause_ms = 0;
  double began = now_ms(), used = cpu_ms();
  while (now_ms() < began + settings.window_ms) {
    serve(epoll);
    look_after(readers);
  }
  double window_ms = now_ms() - began;
  used = cpu_ms() - used;
  is_measuring = 0;
  printf("end\n");
  fflush(stdout);
  for (int i = 0; i < settings.readers; i++) {
    if (readers[i].phase == PLAYING) send_teardown(&readers[i]);
  }
  double limit = now_ms() + END_LIMIT_MS;
  while (count_in(readers, ENDING) > 0 && now_ms() < limit) serve(epoll);
  tell(readers, window_ms, used);
}

int main(int argc, char **argv) {
  if (argc != 9) {
    fprintf(stderr, "usage: load_generator udp|tcp|lab PORT PATH READERS FRAME_RATE WINDOW_S SPREAD_S SETTLE_S\n");
    return 2;
  }
  settings = (struct settings){
      .dialect = argv[1][0] == 'u' ? DIALECT_UDP : argv[1][0] == 't' ? DIALECT_TCP : DIALECT_LAB,
      .port = atoi(argv[2]),
      .path = argv[3],
      .readers = atoi(argv[4]),
      .frame_rate = atof(argv[5]),
      .window_ms = atof(argv[6]) * 1e3,
      .spread_ms = atof(argv[7]) * 1e3,
      .settle_ms = atof(argv[8]) * 1e3,
  };
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  struct reader *readers = calloc(settings.readers, sizeof *readers);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (readers == NULL || epoll < 0) return 1;
  start_all(readers, epoll);
  measure(readers, epoll);
  return 0;
}
