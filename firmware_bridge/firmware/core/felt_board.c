#include "felt_board.h"

#include <string.h>

#define MIN_MTU 247u
#define ANSWER 0x80u

size_t felt_board_bytes(void) { return sizeof(felt_board); }
size_t felt_slot_bytes(void) { return sizeof(felt_slot); }

void felt_board_init(felt_board *board) { memset(board, 0, sizeof *board); }

static felt_stream *by_id(felt_board *board, uint8_t id) {
  for (unsigned i = 0; i < board->count; i++)
    if (board->streams[i].row[0] == id) return &board->streams[i];
  return NULL;
}

int felt_board_add(felt_board *board, const uint8_t row[28], uint8_t samples, felt_slot *slots, uint16_t size) {
  const unsigned channels = row[2];
  if (board->count == FELT_STREAMS || row[0] >= FELT_STREAMS || by_id(board, row[0])) return FELT_E_VALUE;
  if (!samples || !channels || channels > FELT_CHANNELS) return FELT_E_VALUE;
  /* So no frame is ever too long, whatever is measured. */
  if (felt_frame_size(samples, channels, FELT_MAX_WIDTH) > FELT_FRAME_BYTES) return FELT_E_ROOM;
  felt_stream *stream = &board->streams[board->count];
  memset(stream, 0, sizeof *stream);
  if (felt_ring_init(&stream->ring, slots, size)) return FELT_E_VALUE;
  memcpy(stream->row, row, sizeof stream->row);
  stream->row[3] = FELT_KEEPS;
  stream->samples = samples;
  board->count++;
  return 0;
}

int felt_info(const felt_board *board, uint8_t *out, size_t room) {
  const size_t body = 2u + 28u * (size_t)board->count;
  if (room < body + 2u) return FELT_E_ROOM;
  out[0] = FELT_VERSION;
  out[1] = board->count;
  for (unsigned i = 0; i < board->count; i++) memcpy(out + 2u + 28u * i, board->streams[i].row, 28u);
  const uint16_t crc = felt_crc16(out, body);
  out[body] = (uint8_t)crc;
  out[body + 1] = (uint8_t)(crc >> 8);
  return (int)(body + 2u);
}

int felt_gap(felt_board *board, uint8_t index) {
  if (index >= board->count || !board->streams[index].filled) return 0;
  felt_stream *stream = &board->streams[index];
  felt_ring *ring = &stream->ring;
  /* The slot about to be overwritten holds a frame that the radio has not taken: it goes, and is counted. */
  if (stream->sending && (uint16_t)(ring->next - stream->cursor) >= ring->size) {
    stream->cursor++;
    stream->dropped++;
  }
  felt_slot *slot = felt_ring_place(ring);
  slot->length = (uint8_t)felt_encode(slot->bytes, sizeof slot->bytes, stream->row[0], ring->next, stream->last_us,
                                      stream->pending, stream->filled, stream->row[2]);
  felt_ring_commit(ring);
  if (!stream->sending) stream->cursor = ring->next;
  stream->filled = 0;
  return 1;
}

int felt_sample(felt_board *board, uint8_t index, uint64_t now_us, const int32_t *counts) {
  if (index >= board->count || now_us >> 48) return FELT_E_VALUE;
  felt_stream *stream = &board->streams[index];
  const unsigned channels = stream->row[2];
  for (unsigned c = 0; c < channels; c++) {
    if (counts[c] < -8388608 || counts[c] > 8388607) return FELT_E_VALUE;
    stream->pending[stream->filled * channels + c] = counts[c];
  }
  stream->last_us = now_us;
  stream->filled++;
  return stream->filled == stream->samples ? felt_gap(board, index) : 0;
}

static void put_u48(uint8_t *out, uint64_t value) {
  for (unsigned i = 0; i < 6u; i++) out[i] = (uint8_t)(value >> (8u * i));
}

/* START or STOP. */
static uint8_t turn(felt_stream *stream, uint8_t on, uint16_t mtu) {
  if (!stream) return FELT_UNKNOWN_STREAM;
  if (stream->sending == on) return FELT_ALREADY;
  if (on && mtu < MIN_MTU) return FELT_MTU;
  stream->sending = on;
  stream->cursor = stream->ring.next;
  return FELT_OK;
}

/* BACKFILL: what of the range is kept is queued, and named in the answer. */
static uint8_t fetch(felt_board *board, const uint8_t *arguments, uint16_t mtu, uint8_t *named) {
  felt_stream *stream = by_id(board, arguments[0]);
  if (!stream) return FELT_UNKNOWN_STREAM;
  if (mtu < MIN_MTU) return FELT_MTU;
  if (board->fill_left) return FELT_BUSY;
  uint16_t first = (uint16_t)(arguments[1] | arguments[2] << 8), count = (uint16_t)(arguments[3] | arguments[4] << 8);
  felt_ring_clip(&stream->ring, &first, &count);
  board->fill_stream = (uint8_t)(stream - board->streams);
  board->fill_first = first;
  board->fill_left = count;
  named[1] = (uint8_t)first;
  named[2] = (uint8_t)(first >> 8);
  named[3] = (uint8_t)count;
  named[4] = (uint8_t)(count >> 8);
  return FELT_OK;
}

int felt_request(felt_board *board, const uint8_t *data, size_t length, uint64_t now_us, uint16_t mtu) {
  if (board->waiting == FELT_ANSWERS) return FELT_E_ROOM;
  felt_answer *answer = &board->answers[board->waiting++];
  const uint8_t opcode = length && !(data[0] & ANSWER) ? data[0] : 0;
  const uint8_t wanted = opcode == FELT_TIME_PING ? 4u : opcode == FELT_BACKFILL ? 5u : 1u;
  const uint8_t known = opcode == FELT_START || opcode == FELT_STOP || opcode == FELT_TIME_PING || opcode == FELT_BACKFILL;
  answer->bytes[0] = (uint8_t)(opcode | ANSWER);
  answer->length = 2;
  answer->bytes[1] = FELT_UNKNOWN_OPCODE;
  if (!known) return 0;
  answer->bytes[1] = FELT_LENGTH;
  if (length != 1u + wanted) return 0;
  memcpy(answer->bytes + 2, data + 1, wanted);
  answer->length = (uint8_t)(2u + wanted);
  if (opcode == FELT_TIME_PING) {
    answer->bytes[1] = FELT_OK;
    put_u48(answer->bytes + 6, now_us); /* the time of leaving follows when it leaves */
    answer->length = 18;
  } else if (opcode == FELT_BACKFILL) {
    answer->bytes[1] = fetch(board, data + 1, mtu, answer->bytes + 2);
  } else {
    answer->bytes[1] = turn(by_id(board, data[1]), opcode == FELT_START, mtu);
  }
  return 0;
}

/* Time of the last sample, as the frame has it. */
static uint64_t time_of(const felt_slot *slot) {
  uint64_t us = 0;
  for (unsigned i = 0; i < 6u; i++) us |= (uint64_t)slot->bytes[3 + i] << (8u * i);
  return us;
}

static int give(const uint8_t *bytes, size_t size, int kind, uint8_t *out, size_t room, size_t *length) {
  if (size > room) return FELT_E_ROOM;
  memcpy(out, bytes, size);
  *length = size;
  return kind;
}

int felt_next(felt_board *board, uint64_t now_us, uint8_t *out, size_t room, size_t *length) {
  *length = 0;
  if (board->waiting) {
    felt_answer *answer = &board->answers[0];
    if (answer->bytes[0] == (FELT_TIME_PING | ANSWER) && answer->bytes[1] == FELT_OK) put_u48(answer->bytes + 12, now_us);
    const int kind = give(answer->bytes, answer->length, FELT_CONTROL_OUT, out, room, length);
    if (kind < 0) return kind;
    board->waiting--;
    memmove(board->answers, board->answers + 1, board->waiting * sizeof *board->answers);
    return kind;
  }
  felt_stream *oldest = NULL;
  const felt_slot *slot = NULL;
  for (unsigned i = 0; i < board->count; i++) {
    felt_stream *stream = &board->streams[i];
    const felt_slot *own = stream->sending ? felt_ring_get(&stream->ring, stream->cursor) : NULL;
    if (own && (!slot || time_of(own) < time_of(slot))) {
      oldest = stream;
      slot = own;
    }
  }
  if (slot) {
    const int kind = give(slot->bytes, slot->length, FELT_DATA_OUT, out, room, length);
    if (kind > 0) oldest->cursor++;
    return kind;
  }
  while (board->fill_left) {
    slot = felt_ring_get(&board->streams[board->fill_stream].ring, board->fill_first);
    const int kind = slot ? give(slot->bytes, slot->length, FELT_BACKFILL_OUT, out, room, length) : 0;
    if (kind < 0) return kind;
    board->fill_first++;
    board->fill_left--;
    if (kind) return kind; /* one that was overwritten meanwhile is passed over: the host sees its number missing */
  }
  return FELT_NOTHING;
}

void felt_disconnected(felt_board *board) {
  board->waiting = 0;
  board->fill_left = 0;
  for (unsigned i = 0; i < board->count; i++) {
    board->streams[i].sending = 0;
    board->streams[i].cursor = board->streams[i].ring.next;
  }
}
