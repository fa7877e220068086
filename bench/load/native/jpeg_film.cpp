#include "jpeg_film.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

enum { START = 0xd8, END = 0xd9, TABLES = 0xdb, BASELINE = 0xc0, RESTARTS = 0xdd, SCAN = 0xda };
enum { TABLE_BYTES = 64, MOST_PIXELS = 2040, WITH_RESTARTS = 64 };

static unsigned word(const uint8_t *at) { return at[0] << 8 | at[1]; }

static void require(bool is_so, const char *what) {
  if (!is_so) throw std::runtime_error(what);
}

/* Quantization tables by their number, as the frame header names them for each component. */
using quantization_tables = const uint8_t *[4];

static void read_tables(quantization_tables &tables, const uint8_t *at, const uint8_t *end) {
  for (; at < end; at += 1 + TABLE_BYTES) {
    require(at[0] < 4 && end - at > TABLE_BYTES, "a quantization table is not one of 64 octets");
    tables[at[0]] = at + 1;
  }
}

/* The frame header: its first component is the luminance, the others share a table. */
static void read_frame_header(jpeg_frame &frame, const quantization_tables &tables, const uint8_t *at, size_t size) {
  require(size == 15, "a frame has not three components");
  unsigned height = word(at + 1), width = word(at + 3), sampling = at[7];
  require(width <= MOST_PIXELS && height <= MOST_PIXELS, "a frame is too large for RTP/JPEG");
  require((sampling == 0x21 || sampling == 0x22) && at[10] == 0x11 && at[13] == 0x11,
          "a frame is neither 4:2:2 nor 4:2:0");
  frame.width = (width + 7) / 8, frame.height = (height + 7) / 8;
  frame.type = sampling == 0x22;
  for (int i = 0; i < 2; i++) {
    unsigned number = at[8 + 3 * i];
    require(number < 4 && tables[number] != nullptr, "a frame names a quantization table that it has not");
    memcpy(frame.quantization + TABLE_BYTES * i, tables[number], TABLE_BYTES);
  }
}

/* Reads the segments of a JPEG up to its scan. */
static jpeg_frame read_frame(const uint8_t *at, const uint8_t *end) {
  jpeg_frame frame = {};
  quantization_tables tables = {};
  require(end - at > 2 && word(at) == (0xff00 | START), "a frame does not begin with SOI");
  for (at += 2; end - at > 4 && at[0] == 0xff;) {
    const uint8_t *body = at + 4, *next = at + 2 + word(at + 2);
    require(body <= next && next <= end, "a segment is longer than its frame");
    if (at[1] == TABLES) read_tables(tables, body, next);
    if (at[1] == BASELINE) read_frame_header(frame, tables, body, next - body);
    if (at[1] == RESTARTS && next - body == 2) frame.restart_interval = word(body);
    if (at[1] == SCAN) {
      require(frame.width > 0, "a frame is not baseline JPEG");
      if (frame.restart_interval > 0) frame.type += WITH_RESTARTS;
      frame.scan = next, frame.size = end - next;
      return frame;
    }
    at = next;
  }
  throw std::runtime_error("a frame has no scan");
}

jpeg_film read_film(const char *path) {
  std::ifstream file(path, std::ios::binary);
  require(file.good(), "there is no such film");
  jpeg_film film = {{std::istreambuf_iterator<char>(file), {}}, {}, 0};
  static const uint8_t mark[] = {0xff, END};
  const uint8_t *at = film.octets.data(), *last = at + film.octets.size(), *end;
  for (; (end = std::search(at, last, mark, mark + 2)) != last; at = end + 2) {
    film.frames.push_back(read_frame(at, end));
    film.largest = std::max(film.largest, film.frames.back().size);
    require(film.frames.back().type == film.frames.front().type, "the frames are of different types");
  }
  require(!film.frames.empty(), "the film has no frame");
  return film;
}
