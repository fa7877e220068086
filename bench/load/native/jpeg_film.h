/* A film of bare JPEGs as RTP/JPEG takes it: the scan of each frame, and what the headers of RFC 2435 tell of it. */
#ifndef JPEG_FILM_H
#define JPEG_FILM_H

#include <cstddef>
#include <cstdint>
#include <vector>

struct jpeg_frame {
  const uint8_t *scan; /* entropy-coded data, without EOI, which receivers add */
  size_t size;
  uint8_t type;          /* RFC 2435 s4.1: 0 and 1, or 64 and 65 with restart markers */
  uint8_t width, height; /* in blocks of eight pixels */
  uint16_t restart_interval;
  uint8_t quantization[128]; /* luminance, then chrominance */
};

struct jpeg_film {
  std::vector<uint8_t> octets;
  std::vector<jpeg_frame> frames;
  size_t largest; /* octets of the largest scan */
};

/* Throws std::runtime_error unless all frames are of one type that RTP/JPEG carries. It does not carry their Huffman
   tables, which must be the standard's: nobody looks. */
jpeg_film read_film(const char *path);

#endif
