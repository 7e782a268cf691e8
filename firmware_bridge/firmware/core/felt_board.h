/* The board: stream table, control dialogue, frames in the making, and what to send next.
 *
 * The glue to a radio calls: felt_sample from the samplers, felt_request on a write to CONTROL, felt_next whenever the
 * radio has room, felt_disconnected. Nothing here blocks, allocates, or looks at a clock. Not reentrant: call it from
 * one task. */
#ifndef FELT_BOARD_H
#define FELT_BOARD_H

#include "felt_ring.h"

#define FELT_STREAMS 16u
#define FELT_CHANNELS 3u
#define FELT_PENDING 80u /* more values than a frame of 244 bytes holds at the widest differences */
#define FELT_ANSWERS 4u  /* answers that wait; a host waits for each, so one is usual */
#define FELT_INFO_BYTES (4u + 28u * FELT_STREAMS)
#define FELT_KEEPS 1u    /* flag of a table row: BACKFILL answers for this stream */

enum { FELT_START = 0x01, FELT_STOP = 0x02, FELT_TIME_PING = 0x03, FELT_BACKFILL = 0x10 };
enum { FELT_OK, FELT_UNKNOWN_OPCODE, FELT_UNKNOWN_STREAM, FELT_ALREADY, FELT_LENGTH, FELT_MTU, FELT_BUSY };
/* What felt_next gives: nothing, an indication of CONTROL, a notification of DATA, one of BACKFILL. */
enum { FELT_NOTHING, FELT_CONTROL_OUT, FELT_DATA_OUT, FELT_BACKFILL_OUT };

typedef struct {
  uint8_t row[28]; /* as in INFO: rates are integers, scale and offset the bytes of an f64 */
  felt_ring ring;
  uint32_t dropped; /* frames that were overwritten before the radio took them */
  uint64_t last_us;
  int32_t pending[FELT_PENDING];
  uint16_t cursor; /* sequence number of the next live frame to send */
  uint8_t samples, filled, sending;
} felt_stream;

typedef struct {
  uint8_t length;
  uint8_t bytes[18];
} felt_answer;

typedef struct {
  felt_stream streams[FELT_STREAMS];
  felt_answer answers[FELT_ANSWERS];
  uint16_t fill_first, fill_left;
  uint8_t count, waiting, fill_stream;
} felt_board;

size_t felt_board_bytes(void);
size_t felt_slot_bytes(void);
void felt_board_init(felt_board *board);

/* Adds a stream by its row of INFO, with `samples` a frame and `size` slots to keep frames in; 0, or a reason. */
int felt_board_add(felt_board *board, const uint8_t row[28], uint8_t samples, felt_slot *slots, uint16_t size);

/* Writes INFO; its length, or FELT_E_ROOM. */
int felt_info(const felt_board *board, uint8_t *out, size_t room);

/* One sample of the stream in place `index`, taken at `now_us`; 1 if it completed a frame, 0, or a reason. */
int felt_sample(felt_board *board, uint8_t index, uint64_t now_us, const int32_t *counts);

/* Ends the frame in the making: samples are missing after this one. 1 if there was one. */
int felt_gap(felt_board *board, uint8_t index);

/* A write to CONTROL; 0, or FELT_E_ROOM if too many answers wait: refuse the write. */
int felt_request(felt_board *board, const uint8_t *data, size_t length, uint64_t now_us, uint16_t mtu);

/* What to send next: answers, then live frames (oldest first), then frames that are fetched again. */
int felt_next(felt_board *board, uint64_t now_us, uint8_t *out, size_t room, size_t *length);

void felt_disconnected(felt_board *board);

#endif
