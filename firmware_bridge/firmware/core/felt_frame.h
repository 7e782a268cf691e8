/* Frames of the open wire format, version 1 (docs/reference/wire.md): C99, no heap, no floating point. */
#ifndef FELT_FRAME_H
#define FELT_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FELT_VERSION 1u
#define FELT_FRAME_BYTES 244u /* one link-layer packet of 251 bytes less its headers */
#define FELT_MAX_WIDTH 25u    /* a difference of two 24-bit values */
#define FELT_NO_NUMBER (-8388608)

/* Reasons for refusing, all negative. */
enum { FELT_E_ROOM = -1, FELT_E_VALUE = -2, FELT_E_VERSION = -3, FELT_E_LENGTH = -4, FELT_E_CRC = -5 };

/* CRC-16/CCITT-FALSE. */
uint16_t felt_crc16(const uint8_t *data, size_t length);

/* Bytes of a frame with differences of `width` bits. */
size_t felt_frame_size(unsigned samples, unsigned channels, unsigned width);

/* Writes a frame of samples * channels counts (sample by sample); its length, or a reason. */
int felt_encode(uint8_t *out, size_t room, uint8_t stream, uint16_t sequence, uint64_t last_us,
                const int32_t *counts, unsigned samples, unsigned channels);

/* What stands before the samples. */
typedef struct {
  uint64_t last_us;
  uint16_t sequence;
  uint8_t stream, samples, channels, width;
} felt_head;

/* Reads a frame into `counts`, which has room for `room` of them; samples of the frame, or a reason. */
int felt_decode(const uint8_t *data, size_t length, felt_head *head, int32_t *counts, size_t room);

#endif
