/*
 * live555 as its own test programs use it: plays one film of bare JPEGs at rtsp://127.0.0.1:PORT/film.
 *
 *   live555_server FILM own|shared FRAME_RATE
 *
 * "own" gives each reader a source of its own, from the film's beginning, "shared" one source to all. The library sends
 * RTP/JPEG but reads no film of Motion-JPEG: it leaves the source to its users. Writes "PORT <number>" when it listens.
 */
#include "jpeg_film.h"

#include <BasicUsageEnvironment.hh>
#include <GroupsockHelper.hh>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <liveMedia.hh>
#include <sys/resource.h>
#include <sys/time.h>

enum { PACKET_BYTES = 1400, ALL_DESCRIPTORS = 16384 };

static const int64_t SECOND_US = 1000000;

/* A reader's place in the film. */
class FilmSource : public JPEGVideoSource {
public:
  FilmSource(UsageEnvironment &environment, const jpeg_film &film, double frame_rate)
      : JPEGVideoSource(environment), film(film), frame_rate(frame_rate) {}

private:
  u_int8_t type() override { return frame().type; }
  /* The tables come with each frame (RFC 2435 s3.1.8). */
  u_int8_t qFactor() override { return 255; }
  u_int8_t width() override { return frame().width; }
  u_int8_t height() override { return frame().height; }
  u_int16_t restartInterval() override { return frame().restart_interval; }
  u_int8_t const *quantizationTables(u_int8_t &precision, u_int16_t &length) override {
    precision = 0, length = sizeof frame().quantization;
    return frame().quantization;
  }

  /* The sink asks for the next frame when the durations of all before it are over since it began, however late it was
     with some of them: a frame can be had at once, and its pace does not drift. */
  void doGetNextFrame() override {
    if (taken == 0) gettimeofday(&begin, nullptr);
    shown = taken++ % film.frames.size();
    fFrameSize = std::min<size_t>(frame().size, fMaxSize);
    fNumTruncatedBytes = frame().size - fFrameSize;
    memcpy(fTo, frame().scan, fFrameSize);
    int64_t moment = begin.tv_usec + offset_us(taken - 1);
    fPresentationTime.tv_sec = begin.tv_sec + moment / SECOND_US;
    fPresentationTime.tv_usec = moment % SECOND_US;
    fDurationInMicroseconds = offset_us(taken) - offset_us(taken - 1);
    FramedSource::afterGetting(this);
  }

  const jpeg_frame &frame() const { return film.frames[shown]; }
  int64_t offset_us(int64_t number) const { return std::llround(number * SECOND_US / frame_rate); }

  const jpeg_film &film;
  double frame_rate;
  struct timeval begin;
  int64_t taken = 0;
  size_t shown = 0; /* the sink asks for the size of its headers before it has a frame */
};

/* The film as the one stream of a presentation. */
class FilmSubsession : public OnDemandServerMediaSubsession {
public:
  FilmSubsession(UsageEnvironment &environment, const jpeg_film &film, double frame_rate, bool is_shared)
      : OnDemandServerMediaSubsession(environment, is_shared), film(film), frame_rate(frame_rate) {}

private:
  FramedSource *createNewStreamSource(unsigned, unsigned &kilobits_a_second) override {
    kilobits_a_second = film.octets.size() * 8 / 1000 * frame_rate / film.frames.size();
    return new FilmSource(envir(), film, frame_rate);
  }
  RTPSink *createNewRTPSink(Groupsock *socket, unsigned char, FramedSource *) override {
    JPEGVideoRTPSink *sink = JPEGVideoRTPSink::createNew(envir(), socket);
    sink->setPacketSizes(PACKET_BYTES, PACKET_BYTES);
    return sink;
  }

  const jpeg_film &film;
  double frame_rate;
};

static int port_of(RTSPServer &server) {
  char *prefix = server.rtspURLPrefix();
  int port = 0;
  sscanf(prefix, "rtsp://127.0.0.1:%d", &port);
  delete[] prefix;
  return port;
}

static int serve(const jpeg_film &film, bool is_shared, double frame_rate) {
  ReceivingInterfaceAddr = htonl(INADDR_LOOPBACK);
  ReceivingInterfaceAddr6 = in6addr_loopback;
  /* Twice the largest frame: with less room the sink moves the rest of a frame to the front while it sends it. */
  OutPacketBuffer::increaseMaxSizeTo(2 * (film.largest + PACKET_BYTES));
  UsageEnvironment *environment = BasicUsageEnvironment::createNew(*BasicTaskScheduler::createNew());
  RTSPServer *server = RTSPServer::createNew(*environment, 0);
  if (server == nullptr) {
    fprintf(stderr, "Cannot listen: %s\n", environment->getResultMsg());
    return 1;
  }
  ServerMediaSession *session = ServerMediaSession::createNew(*environment, "film");
  session->addSubsession(new FilmSubsession(*environment, film, frame_rate, is_shared));
  server->addServerMediaSession(session);
  printf("PORT %d\n", port_of(*server));
  fflush(stdout);
  environment->taskScheduler().doEventLoop();
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  /* Its event loop waits by select() and hears of no socket beyond the 1,024th; with fewer descriptors it would not be
     rid of a connection that it cannot accept, and turn round and round. */
  struct rlimit limit = {ALL_DESCRIPTORS, ALL_DESCRIPTORS};
  setrlimit(RLIMIT_NOFILE, &limit);
  try {
    return serve(read_film(argv[1]), strcmp(argv[2], "shared") == 0, atof(argv[3]));
  } catch (const std::exception &error) {
    fprintf(stderr, "Cannot play %s: %s\n", argv[1], error.what());
    return 1;
  }
}
